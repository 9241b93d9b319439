//! Limits on what clients can use: rate limits, session capacity, the share of long work, open files.

mod address;
mod answers;
mod capacity;
mod fair_queue;
mod node_usage;
mod open_files;
mod rate;
mod reactor_turn;
mod turn_budget;

pub use address::{ClientAddress, rate_limit_key};
pub use answers::{AnswerCapacity, AnswerLimits, AnswerPermit};
pub use capacity::{AtCapacity, CapacityLimits, SessionCapacity, SessionPermit, UsageCounter, UsagePermit};
pub use fair_queue::{FairQueue, FairQueueFull, WorkPermit};
pub use node_usage::NodeUsage;
pub use open_files::{OpenFiles, raise_open_file_limit};
pub use rate::{Rate, TokenBucket};
pub use reactor_turn::ReactorTurn;
pub use turn_budget::{TurnBudget, TurnTicket};
