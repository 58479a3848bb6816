//! The schema as the compiler embeds it: what `import "postkiln/site.ncl"` gives.

/// The first part of an import that means us.
pub(crate) const FOLDER: &str = "postkiln";
/// The file a site imports.
pub(crate) const NAME: &str = "postkiln/site.ncl";
/// Its text.
pub(crate) const SITE: &str = include_str!("../../../schemas/site/site.ncl");
/// The same names, with contracts that let everything pass; used when those of [`SITE`] failed, so that every mistake
/// can be found in one run.
pub(crate) const UNCHECKED: &str = include_str!("../../../schemas/site/unchecked.ncl");
