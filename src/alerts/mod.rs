//! Price alerts: conditions, what makes them fire, and the index that finds which ones a trade fires.
//!
//! All of it is pure. The hub of each worker has an index of the alerts of its sessions and shows it every trade; what
//! becomes of a fired alert is the session's.

mod condition;
mod index;
mod quota;
mod trigger;

pub use condition::{AlertCondition, Direction, InvalidCondition};
pub use index::{AlertFire, AlertIndex, AlertKey, AlertOrder, LastPrice, sets_last, trigger};
pub use quota::{AlertLimits, AlertPermit, AlertQuota, TooManyAlerts};
pub use trigger::Trigger;
