//! Nobody autoreleases here.

pub(crate) fn with_pool(work: impl FnOnce()) {
    work();
}
