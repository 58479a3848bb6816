//! The schema as the compiler embeds it: the files behind `import "postkiln/site.ncl"`.

/// The first part of an import that names the embedded schema.
pub(crate) const FOLDER: &str = "postkiln";
/// The file a site imports.
pub(crate) const NAME: &str = "postkiln/site.ncl";
/// The files of the schema by name; the first is the one a site imports, which imports the others.
pub const FILES: &[(&str, &str)] = &[
    ("site.ncl", include_str!("../../../schemas/site/site.ncl")),
    ("antivirus.ncl", include_str!("../../../schemas/site/antivirus.ncl")),
    ("appliance.ncl", include_str!("../../../schemas/site/appliance.ncl")),
    ("autoresponder.ncl", include_str!("../../../schemas/site/autoresponder.ncl")),
    ("dns.ncl", include_str!("../../../schemas/site/dns.ncl")),
    ("domain.ncl", include_str!("../../../schemas/site/domain.ncl")),
    ("expectation.ncl", include_str!("../../../schemas/site/expectation.ncl")),
    ("ldap.ncl", include_str!("../../../schemas/site/ldap.ncl")),
    ("list.ncl", include_str!("../../../schemas/site/list.ncl")),
    ("moved.ncl", include_str!("../../../schemas/site/moved.ncl")),
    ("publishing.ncl", include_str!("../../../schemas/site/publishing.ncl")),
    ("retention.ncl", include_str!("../../../schemas/site/retention.ncl")),
    ("smtp.ncl", include_str!("../../../schemas/site/smtp.ncl")),
    ("storage.ncl", include_str!("../../../schemas/site/storage.ncl")),
    ("tls.ncl", include_str!("../../../schemas/site/tls.ncl")),
    ("user.ncl", include_str!("../../../schemas/site/user.ncl")),
    ("web.ncl", include_str!("../../../schemas/site/web.ncl")),
];
/// The names of `site.ncl`, with contracts that let everything pass; used when those of [`FILES`] failed, so that every
/// mistake can be found in one run.
pub(crate) const UNCHECKED: &str = include_str!("../../../schemas/site/unchecked.ncl");
/// The form of values that the schema leaves to the compiler.
pub(crate) const SHAPES: &str = include_str!("../../../schemas/site/shapes.ncl");
