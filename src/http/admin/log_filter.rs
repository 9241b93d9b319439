use std::fmt;

/// The filter of the log, which the composition gives.
pub struct LogFilter {
    read: Box<dyn Fn() -> String + Send + Sync>,
    replace: Box<ReplaceFilter>,
}

type ReplaceFilter = dyn Fn(&str) -> Result<(), String> + Send + Sync;

impl LogFilter {
    /// A filter that is read and replaced by these functions.
    pub fn new(
        read: impl Fn() -> String + Send + Sync + 'static,
        replace: impl Fn(&str) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { read: Box::new(read), replace: Box::new(replace) }
    }

    /// The filter in force.
    pub(super) fn current(&self) -> String {
        (self.read)()
    }

    /// Puts another one in force, or says why it cannot be used.
    pub(super) fn replace(&self, filter: &str) -> Result<(), String> {
        (self.replace)(filter)
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("LogFilter").field(&self.current()).finish()
    }
}
