use std::str::FromStr;
use std::time::Duration;

use thiserror::Error;

/// Which faults there are, and how often: the value of `--faults`.
///
/// A list such as `seed=7,drop=0.001,cut=30s`. A fault of source or feed has the probability that it hits an event or
/// a batch; a fault that lasts, and each fault of a line, has the mean time between two. `demo` is a list of its own.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct FaultSpec {
    /// Decides, with the events, which of them are hit.
    pub seed: u64,
    /// Faults before numbering.
    pub source: SourceFaults,
    /// Faults after numbering.
    pub feed: FeedFaults,
    /// Faults of a session's connection.
    pub line: LineFaultRates,
}

/// The text is no list of faults.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum FaultSpecError {
    /// A part is not of the form `name=value`.
    #[error("`{0}` is not of the form name=value, such as drop=0.001")]
    NotNamed(String),
    /// There is no fault of this name.
    #[error("there is no fault `{0}`: expected one of {names}", names = NAMES.join(", "))]
    Unknown(String),
    /// The value of this name is no probability.
    #[error("`{0}` takes a probability from 0 to 1")]
    NotProbability(&'static str),
    /// The value of this name is no duration.
    #[error("`{0}` takes a mean time from 1ms to 86400s in seconds or milliseconds, such as 30s or 500ms")]
    NotDuration(&'static str),
    /// The seed is no number.
    #[error("`seed` takes a whole number")]
    NotSeed,
}

/// What each kind of fault takes.
trait FaultValue: Copy {
    fn parse(name: &'static str, text: &str) -> Result<Self, FaultSpecError>;
}

impl FaultValue for f64 {
    fn parse(name: &'static str, text: &str) -> Result<Self, FaultSpecError> {
        let probability = text.parse().ok().filter(|value| (0.0..=1.0).contains(value));
        probability.ok_or(FaultSpecError::NotProbability(name))
    }
}

impl FaultValue for Option<Duration> {
    fn parse(name: &'static str, text: &str) -> Result<Self, FaultSpecError> {
        let (number, unit) = match text.strip_suffix("ms") {
            Some(number) => (number, 0.001),
            None => (text.strip_suffix('s').unwrap_or(""), 1.0),
        };
        let seconds = number.parse::<f64>().ok().map(|number| number * unit);
        let mean = seconds.filter(|seconds| (0.001..=86_400.0).contains(seconds));
        mean.map(|seconds| Some(Duration::from_secs_f64(seconds))).ok_or(FaultSpecError::NotDuration(name))
    }
}

macro_rules! declare_faults {
    ($(
        $(#[$group_doc:meta])*
        $group:ident as $place:ident {
            $($(#[$doc:meta])* $field:ident $name:literal: $type:ty,)*
        }
    )*) => {
        $(
            $(#[$group_doc])*
            #[derive(Clone, Copy, Debug, Default, PartialEq)]
            pub struct $group {
                $($(#[$doc])* pub $field: $type,)*
            }
        )*

        const NAMES: &[&str] = &["seed", $($($name,)*)*];

        impl FaultSpec {
            fn set(&mut self, name: &str, value: &str) -> Result<(), FaultSpecError> {
                match name {
                    "seed" => self.seed = value.parse().map_err(|_| FaultSpecError::NotSeed)?,
                    $($($name => self.$place.$field = <$type as FaultValue>::parse($name, value)?,)*)*
                    unknown => return Err(FaultSpecError::Unknown(unknown.to_owned())),
                }
                Ok(())
            }
        }
    };
}

declare_faults! {
    /// Faults before numbering. A client sees ordinary data.
    SourceFaults as source {
        /// A trade is reported 2 to 5 s late, with the time at which it happened.
        late "late": f64,
        /// An event is reported twice.
        duplicate "duplicate": f64,
        /// An event comes after the one that followed it.
        disorder "disorder": f64,
        /// Bid and ask of a quote change places.
        crossed "crossed": f64,
        /// Nothing comes for half a second, then all of it at once.
        burst "burst": Option<Duration>,
        /// Nothing comes for 5 s, and what happened meanwhile never does.
        freeze "freeze": Option<Duration>,
    }
    /// Faults after numbering. A client sees the numbers of what it missed.
    FeedFaults as feed {
        /// A batch is not delivered.
        drop "drop": f64,
        /// A batch is delivered twice.
        repeat "repeat": f64,
        /// A batch is delivered after the one that followed it.
        swap "swap": f64,
        /// A batch, and those behind it, are delivered a quarter of a second late.
        delay "delay": f64,
    }
    /// Faults of a session's connection: the mean time between two of each kind.
    LineFaultRates as line {
        /// The connection ends without a Close.
        cut "cut": Option<Duration>,
        /// The connection is reset.
        reset "reset": Option<Duration>,
        /// Nothing is sent for 3 s.
        stall "stall": Option<Duration>,
        /// Bytes are sent one by one for 1 s.
        trickle "trickle": Option<Duration>,
        /// The server says that it restarts: close 1012.
        restart "close-1012": Option<Duration>,
        /// The server says that it is overloaded: close 1013.
        overload "close-1013": Option<Duration>,
        /// The key has too many sessions: error 406 and close 1013.
        connection_limit "error-406": Option<Duration>,
        /// The client is too slow: error 407 and close 1013.
        slow_client "error-407": Option<Duration>,
    }
}

/// What `--faults demo` stands for: each client has a fault every few seconds.
const DEMO: &str = "seed=1,late=0.001,duplicate=0.001,disorder=0.001,crossed=0.0005,burst=20s,freeze=120s,drop=0.0005,\
    repeat=0.0005,swap=0.0005,delay=0.0002,cut=60s,reset=90s,stall=45s,trickle=90s,close-1012=120s,close-1013=240s,\
    error-407=240s";

impl FromStr for FaultSpec {
    type Err = FaultSpecError;

    fn from_str(text: &str) -> Result<Self, FaultSpecError> {
        let mut spec = Self {
            seed: 1,
            source: SourceFaults::default(),
            feed: FeedFaults::default(),
            line: LineFaultRates::default(),
        };
        for part in text.split(',').map(str::trim) {
            match part.split_once('=') {
                Some((name, value)) => spec.set(name.trim(), value.trim())?,
                None if part == "demo" => {
                    let seed = spec.seed;
                    spec = Self { seed, ..DEMO.parse()? };
                }
                None => return Err(FaultSpecError::NotNamed(part.to_owned())),
            }
        }
        Ok(spec)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_names_faults_with_probabilities_and_mean_times() {
        let spec: FaultSpec = "seed=7, drop=0.25,cut=30s,stall=500ms".parse().unwrap();

        assert_eq!((spec.seed, spec.feed.drop, spec.feed.repeat), (7, 0.25, 0.0));
        assert_eq!(spec.line.cut, Some(Duration::from_secs(30)));
        assert_eq!((spec.line.stall, spec.line.reset), (Some(Duration::from_millis(500)), None));
    }

    #[test]
    fn the_demo_can_be_changed() {
        let demo: FaultSpec = "demo".parse().unwrap();
        assert!(demo.feed.drop > 0.0 && demo.source.late > 0.0 && demo.line.cut.is_some());

        let changed: FaultSpec = "seed=9,demo,drop=0".parse().unwrap();
        assert_eq!(changed, FaultSpec { seed: 9, feed: FeedFaults { drop: 0.0, ..demo.feed }, ..demo });
    }

    #[test]
    fn what_is_no_fault_is_named() {
        let error = |text: &str| text.parse::<FaultSpec>().unwrap_err();

        assert_eq!(error("drop"), FaultSpecError::NotNamed("drop".to_owned()));
        assert_eq!(error("dorp=1"), FaultSpecError::Unknown("dorp".to_owned()));
        assert!(error("dorp=1").to_string().contains("close-1012"));
        for text in ["drop=2", "drop=-1", "drop=x", "drop=NaN"] {
            assert_eq!(error(text), FaultSpecError::NotProbability("drop"), "{text}");
        }
        for text in ["cut=30", "cut=0s", "cut=-1s", "cut=s", "cut=infs"] {
            assert_eq!(error(text), FaultSpecError::NotDuration("cut"), "{text}");
        }
        assert_eq!(error("seed=x"), FaultSpecError::NotSeed);
    }
}
