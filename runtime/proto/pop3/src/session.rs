//! The session: what it waits for in each of its states, its deadlines, its end.

use std::sync::Arc;
use std::time::Instant;

use postkiln_session::{Action, Actions, Awaits, End, Fault, Frame, Machine, Patience};

use crate::authorization::{self, Authorization};
use crate::context::Context;
use crate::state::State;
use crate::{Answer, Config, Question, command};

/// One client's conversation, begun with the listener's service.
pub type Session = Machine<State>;

/// Octets of a command line, CRLF included. RFC 2449 §4 asks for 255; long passwords exist.
const COMMAND_LINE: usize = 512;

impl postkiln_session::State for State {
    type Begin = Arc<Config>;
    type Context = Context;
    type Question = Question;
    type Answer = Answer;

    fn begin(config: Arc<Config>) -> (Self, Context) {
        let mut context = Context::new(config);
        context.say(&format!("+OK {} ready", context.config.hostname));
        (Self::Authorization(Authorization::default()), context)
    }

    fn closed() -> Self {
        Self::Closed
    }

    fn awaits(&self) -> Awaits {
        match self {
            Self::Authorization(_) | Self::Transaction(_) => Awaits::Line,
            Self::Asking(_) => Awaits::Answer,
            Self::Handshake => Awaits::Handshake,
            Self::Closed => Awaits::Nothing,
        }
    }

    fn line_limit(&self, _: &[u8], _: &Context) -> usize {
        COMMAND_LINE
    }

    fn line(self, frame: Frame, context: &mut Context) -> Self {
        match frame {
            Frame::Line(line) => self.obey(command::parse(&line), context),
            Frame::Broken(fault) => self.after(broken(fault, context)),
        }
    }

    fn answered(self, answer: Answer, context: &mut Context) -> Self {
        match self {
            Self::Asking(asking) => asking.answered(answer, context),
            other => other,
        }
    }

    fn secured(context: &mut Context) -> Self {
        authorization::secured(context)
    }

    fn deadline(&mut self, context: &Context, now: Instant) -> Option<Instant> {
        now.checked_add(context.config.timeout)
    }

    /// Without a word and without deletions, as RFC 1939 §3 asks.
    fn end(self, _: End, context: &mut Context) {
        context.actions.push(Action::Close);
    }

    fn actions(context: &mut Context) -> &mut Actions<Question> {
        &mut context.actions
    }
}

fn broken(fault: Fault, context: &mut Context) -> Patience {
    match fault {
        Fault::BareLf | Fault::BareCr => context.fault("-ERR a line ends with CRLF"),
        Fault::TooLong => context.fault("-ERR line too long"),
        Fault::Endless => {
            context.say_and_close("-ERR line too long");
            Patience::Lost
        }
    }
}
