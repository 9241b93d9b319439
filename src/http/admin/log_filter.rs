use std::fmt;

/// The filter of the log, which the composition gives.
pub struct LogFilter {
    read: Box<dyn Fn() -> String + Send + Sync>,
    replace: Box<ReplaceFilter>,
}

type ReplaceFilter = dyn Fn(&str, &dyn Fn()) -> Result<(), String> + Send + Sync;

impl LogFilter {
    /// A filter that is read and replaced by these functions. The second one calls its last argument when the new filter is
    /// checked and not yet in force.
    pub fn new(
        read: impl Fn() -> String + Send + Sync + 'static,
        replace: impl Fn(&str, &dyn Fn()) -> Result<(), String> + Send + Sync + 'static,
    ) -> Self {
        Self { read: Box::new(read), replace: Box::new(replace) }
    }

    /// The filter in force.
    pub(super) fn current(&self) -> String {
        (self.read)()
    }

    /// Puts another one in force, or says why it cannot be used. `before` logs the change by the earlier one, because the new
    /// one may leave that line out.
    pub(super) fn replace(&self, filter: &str, before: impl Fn()) -> Result<(), String> {
        (self.replace)(filter, &before)
    }
}

impl fmt::Debug for LogFilter {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("LogFilter").field(&self.current()).finish()
    }
}
