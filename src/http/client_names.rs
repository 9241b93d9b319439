//! The names of clients (`User-Agent`), each held once for all sessions of a worker.

use std::cell::RefCell;
use std::rc::Rc;

use rustc_hash::FxHashSet;

thread_local! {
    static NAMES: RefCell<SharedNames> = RefCell::default();
}

/// The name, shared with the sessions of this worker whose client calls itself the same: browsers have names of some 120
/// characters, and there are few browsers.
pub(super) fn shared_name(name: &str) -> Rc<str> {
    NAMES.with_borrow_mut(|names| names.get(name))
}

/// Names that are held as long as a session has them, and a little longer.
#[derive(Debug, Default)]
struct SharedNames {
    names: FxHashSet<Rc<str>>,
    /// With this number of names, those that no session has are forgotten.
    sweep_at: usize,
}

/// Fewer names than this are not swept.
const FEW_NAMES: usize = 64;

impl SharedNames {
    fn get(&mut self, name: &str) -> Rc<str> {
        if let Some(known) = self.names.get(name) {
            return Rc::clone(known);
        }
        if self.names.len() >= self.sweep_at.max(FEW_NAMES) {
            self.names.retain(|name| Rc::strong_count(name) > 1);
            self.names.shrink_to_fit();
            self.sweep_at = 2 * self.names.len();
        }
        let name = Rc::<str>::from(name);
        self.names.insert(Rc::clone(&name));
        name
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clients_of_one_name_share_it() {
        let mut names = SharedNames::default();

        assert!(Rc::ptr_eq(&names.get("curl/8.5.0"), &names.get("curl/8.5.0")));
        assert_eq!(names.names.len(), 1);
    }

    #[test]
    fn names_of_sessions_that_ended_are_forgotten() {
        let mut names = SharedNames::default();
        let kept: Vec<_> = (0..100).map(|number| names.get(&format!("kept {number}"))).collect();

        (0..10_000).for_each(|number| drop(names.get(&format!("gone {number}"))));

        assert!(names.names.len() <= 2 * kept.len() + 1, "{}", names.names.len());
        assert!(kept.iter().all(|name| Rc::ptr_eq(&names.get(name), name)));
    }
}
