use std::any::Any;
use std::panic::{self, AssertUnwindSafe};

/// A promise that was broken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Violation {
    /// Which.
    pub(super) invariant: &'static str,
    pub(super) detail: String,
}

/// Ends the run: this promise was broken. It does not call the panic hook, so that nothing is printed while a scenario is
/// shrunk.
pub(super) fn violated(invariant: &'static str, detail: String) -> ! {
    panic::resume_unwind(Box::new(Violation { invariant, detail }))
}

/// Runs this; a panic of the server is a violation too.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Violation> {
    panic::catch_unwind(AssertUnwindSafe(run)).map_err(|payload| match payload.downcast::<Violation>() {
        Ok(violation) => *violation,
        Err(payload) => Violation { invariant: "panic", detail: text_of(&*payload) },
    })
}

fn text_of(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<String>().cloned();
    text.or_else(|| payload.downcast_ref::<&str>().map(|text| (*text).to_owned())).unwrap_or_default()
}
