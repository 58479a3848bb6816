//! APPEND (RFC 3501 §6.3.11, RFC 4315 §3).

use postkiln_mail::Flags;

use crate::cursor::{Bad, Cursor};
use crate::date::date_time;
use crate::job::{Context, Job, News, Reply, Step};
use crate::question::{Answer, Question};
use crate::store::flag_list;

/// `append = "APPEND" SP mailbox [SP flag-list] [SP date-time] SP literal`
pub(crate) fn parse(cursor: &mut Cursor<'_>) -> Result<Append, Bad> {
    cursor.space()?;
    let folder = cursor.mailbox()?;
    cursor.space()?;
    let mut flags = Flags::none();
    if cursor.peek() == Some(b'(') {
        flags = flag_list(cursor)?;
        cursor.space()?;
    }
    let mut internal_date = None;
    if cursor.peek() == Some(b'"') {
        internal_date = Some(date_time(cursor)?);
        cursor.space()?;
    }
    Ok(Append { folder, flags, internal_date, content: cursor.literal()?.to_vec() })
}

/// A message that comes in.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Append {
    folder: String,
    flags: Flags,
    internal_date: Option<i64>,
    content: Vec<u8>,
}

pub(crate) fn append(append: Append) -> Step {
    let Append { folder, flags, internal_date, content } = append;
    if content.is_empty() {
        return Step::Reply(Reply::no("a message cannot be empty"));
    }
    let waiting = Waiting { folder: folder.clone() };
    Step::Ask(Question::Append { folder, flags, internal_date, content }, Box::new(waiting))
}

#[derive(Debug)]
struct Waiting {
    folder: String,
}

impl Job for Waiting {
    fn answered(self: Box<Self>, answer: Answer, context: &mut Context) -> Step {
        let open = context.view.as_ref().is_some_and(|view| view.folder == self.folder);
        Step::Reply(match answer {
            Answer::Appended { uid_validity, uid } => Reply::ok("stored")
                .code(format!("APPENDUID {uid_validity} {uid}"))
                .news(if open { News::Fresh } else { News::All }),
            other => Reply::other(&other, "TRYCREATE"),
        })
    }
}
