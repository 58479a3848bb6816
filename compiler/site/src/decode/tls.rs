//! `tls`: where the certificate comes from, and the oldest version spoken.

use crate::answer::Value;
use crate::decode::secrets;
use crate::decode::walker::{At, Walker};
use crate::{Certificate, Placed, Tls, TlsVersion, codes};

pub(super) fn decode(walker: &Walker<'_>, at: &At<'_>) -> Option<Tls> {
    let fields = walker.fields(at, "tls", &["certificate", "minimum"])?;
    let certificate = fields.defaulted("certificate").and_then(|at| certificate(walker, &at));
    let versions = [("tls12", TlsVersion::Tls12), ("tls13", TlsVersion::Tls13)];
    let minimum = fields.defaulted("minimum").and_then(|at| walker.tag(&at, &versions));
    Some(Tls { certificate: certificate?, minimum: minimum? })
}

fn certificate(walker: &Walker<'_>, at: &At<'_>) -> Option<Placed<Certificate>> {
    match &at.node.value {
        Value::Tag(tag, Some(inner)) if tag == "acme" => acme(walker, &walker.inside(at, inner)),
        Value::Tag(tag, Some(inner)) if tag == "own" => own(walker, &walker.inside(at, inner)),
        Value::Tag(tag, None) if tag == "self_signed" => Some(Certificate::SelfSigned),
        _ => {
            walker.mistyped(at, "'self_signed, 'acme { … } or 'own { … }", Some(FORMS));
            None
        }
    }
    .map(|value| at.placed(value))
}

fn acme(walker: &Walker<'_>, at: &At<'_>) -> Option<Certificate> {
    let fields = walker.fields(at, "'acme", &["email", "directory", "agree"])?;
    let email = fields.required("email").and_then(|at| {
        let address = walker.parsed(&at, "an address", None, str::parse::<postkiln_address::Address>)?;
        Some(at.placed(address.value.to_string()))
    });
    let directory = fields.optional("directory", |at| {
        let url = walker.line(at, "the URL of a directory")?;
        if !url.value.starts_with("https://") || url.value.contains(' ') {
            walker.report(codes::VALUE, format!("{:?} is no https URL", url.value), &at.place, None);
            return None;
        }
        Some(url.value)
    });
    let agree = fields.optional("agree", |here| Some(here.placed(walker.boolean(here)?)));
    Some(Certificate::Acme {
        email: email?,
        directory: directory?.unwrap_or_else(|| DIRECTORY.to_owned()),
        agree: agree?.unwrap_or_else(|| at.placed(false)),
    })
}

fn own(walker: &Walker<'_>, at: &At<'_>) -> Option<Certificate> {
    let fields = walker.fields(at, "'own", &["secret", "chain"])?;
    let secret = fields.required("secret").and_then(|at| secrets::name(walker, &at));
    let chain = fields.required("chain").and_then(|at| {
        let path = walker.line(&at, "the name of a file")?;
        match walker.content(&path.value) {
            Ok(pem) => Some((path, pem)),
            Err(error) => {
                let hint = "put the certificate, and those above it, in PEM form beside site.ncl";
                walker.report(codes::UNREADABLE, format!("{:?} {error}", path.value), &at.place, Some(hint));
                None
            }
        }
    });
    let (chain, pem) = chain?;
    Some(Certificate::Own { secret: secret?, chain, pem })
}

const FORMS: &str =
    "'acme { email = \"ops@example.org\", agree = true }, or 'own { secret = \"tls\", chain = \"chain.pem\" }";
/// The directory of the certificate authority that is used unless another is named.
const DIRECTORY: &str = "https://acme-v02.api.letsencrypt.org/directory";
