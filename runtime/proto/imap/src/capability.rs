//! CAPABILITY (RFC 3501 §6.1.1) and the small commands that tell about the server: ID (RFC 2971), NAMESPACE (RFC 2342).

use postkiln_session::Tls;

use crate::cursor::{Bad, Cursor};
use crate::job::{Context, Reply, Step};

/// The capabilities of this state: nobody logs in without TLS, and STARTTLS is gone once it runs.
pub(crate) fn list(context: &Context) -> String {
    let always = "IMAP4rev1 LITERAL+ SASL-IR ID IDLE NAMESPACE UNSELECT CHILDREN SPECIAL-USE UIDPLUS MOVE";
    match (context.logged_in, context.encrypted, context.config.tls) {
        (true, ..) => always.to_owned(),
        (false, true, _) => format!("{always} AUTH=PLAIN"),
        (false, false, Tls::Unavailable) => format!("{always} LOGINDISABLED"),
        (false, false, _) => format!("{always} STARTTLS LOGINDISABLED"),
    }
}

pub(crate) fn capability(context: &mut Context) -> Step {
    let list = list(context);
    context.untagged(&format!("CAPABILITY {list}"));
    Step::Reply(Reply::ok("done"))
}

/// `id = "ID" SP id-params-list`; what clients say about themselves is not kept.
pub(crate) fn parse_id(cursor: &mut Cursor<'_>) -> Result<(), Bad> {
    cursor.space()?;
    if cursor.word("NIL") {
        return Ok(());
    }
    cursor.list(Cursor::nstring).map(|_| ())
}

pub(crate) fn id(context: &mut Context) -> Step {
    context.untagged("ID (\"name\" \"Postkiln\")");
    Step::Reply(Reply::ok("done"))
}

/// One personal namespace, `/` between levels.
pub(crate) fn namespace(context: &mut Context) -> Step {
    context.untagged("NAMESPACE ((\"\" \"/\")) NIL NIL");
    Step::Reply(Reply::ok("done"))
}
