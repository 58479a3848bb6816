//! Values without the places where they were written.

use postkiln_site::Placed;

/// The values of a list.
pub(super) fn values<T: Clone>(placed: &[Placed<T>]) -> Vec<T> {
    placed.iter().map(|item| item.value.clone()).collect()
}

/// A value that may be absent.
pub(super) fn value<T: Clone>(placed: &Option<Placed<T>>) -> Option<T> {
    placed.as_ref().map(|placed| placed.value.clone())
}
