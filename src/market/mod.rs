//! Where ticks come from: a pure, seeded simulator, and the actor that owns its clock.
