//! The session: what it waits for in each of its states, its deadlines, its last words.

use std::sync::Arc;
use std::time::Instant;

use postkiln_session::{Actions, Awaits, End, Fault, Frame, Machine, Patience};

use crate::context::Context;
use crate::state::State;
use crate::{Answer, Config, Listener, Peer, Question, auth, command, starttls};

/// One client's conversation, begun with the listener's service and the peer.
pub type Session = Machine<State>;

/// Octets of a command line, CRLF included: RFC 5321 §4.5.3.1.4, and what SIZE (RFC 1870 §3), BODY (RFC 6152 §2) and
/// AUTH (RFC 4954 §3) add to MAIL.
const COMMAND_LINE: usize = 512 + 26 + 17 + 500;

impl postkiln_session::State for State {
    type Begin = (Arc<Config>, Peer);
    type Context = Context;
    type Question = Question;
    type Answer = Answer;

    fn begin((config, peer): Self::Begin) -> (Self, Context) {
        let greeting = format!("220 {} ESMTP", config.greeting);
        let mut context = Context::new(config, peer);
        context.say(&greeting);
        (Self::Idle, context)
    }

    fn closed() -> Self {
        Self::Closed
    }

    fn awaits(&self) -> Awaits {
        match self {
            Self::Idle | Self::Transaction(_) | Self::Exchange(_) => Awaits::Line,
            Self::Receiving(_) => Awaits::Content,
            Self::Asking(_) => Awaits::Answer,
            Self::Handshake => Awaits::Handshake,
            Self::Closed => Awaits::Nothing,
        }
    }

    /// A response may be longer than a command, and an initial response stands in the command line.
    fn line_limit(&self, input: &[u8], context: &Context) -> usize {
        let is_auth = input.get(..5).is_some_and(|verb| verb.eq_ignore_ascii_case(b"AUTH "));
        match self {
            Self::Exchange(_) => auth::RESPONSE_LINE,
            _ if is_auth && context.config.listener == Listener::Submission => auth::RESPONSE_LINE,
            _ => COMMAND_LINE,
        }
    }

    fn line(self, frame: Frame, context: &mut Context) -> Self {
        match (frame, self) {
            (Frame::Line(line), Self::Exchange(exchange)) => exchange.response(&line, context),
            (Frame::Line(line), state) => {
                let command = command::parse(&line, &context.config.hostname);
                state.obey(command, context)
            }
            (Frame::Broken(fault), state) => {
                let patience = broken(fault, context);
                // A response that cannot be read ends its exchange (RFC 4954 §4).
                let state = if matches!(state, Self::Exchange(_)) { Self::Idle } else { state };
                state.after(patience)
            }
        }
    }

    fn content(self, input: &[u8], context: &mut Context) -> (Self, usize) {
        match self {
            Self::Receiving(receiving) => receiving.receive(input, context),
            other => (other, input.len()),
        }
    }

    fn answered(self, answer: Answer, context: &mut Context) -> Self {
        match self {
            Self::Asking(asking) => asking.answered(answer, context),
            other => other,
        }
    }

    fn secured(context: &mut Context) -> Self {
        starttls::started(context)
    }

    fn deadline(&mut self, context: &Context, now: Instant) -> Option<Instant> {
        let limits = &context.config.limits;
        let idle = now.checked_add(limits.timeout);
        match self {
            Self::Receiving(receiving) => {
                let since = *receiving.since.get_or_insert(now);
                idle.min(since.checked_add(limits.message_time))
            }
            _ => idle,
        }
    }

    fn end(self, why: End, context: &mut Context) {
        if let Self::Receiving(mut receiving) = self {
            receiving.abort(context);
        }
        match why {
            End::Silence => context.say_and_close("451 4.4.2 timeout (#4.4.2)"),
            End::Stopping => {
                context.say_and_close(&format!("421 4.3.2 {} is stopping (#4.3.2)", context.config.hostname));
            }
        }
    }

    fn actions(context: &mut Context) -> &mut Actions<Question> {
        &mut context.actions
    }
}

fn broken(fault: Fault, context: &mut Context) -> Patience {
    match fault {
        Fault::BareLf | Fault::BareCr => context.fault("500 5.5.2 a line ends with CRLF (#5.5.2)"),
        Fault::TooLong => context.fault("500 5.5.6 line too long (#5.5.6)"),
        Fault::Endless => {
            context.say_and_close("421 4.5.0 line too long (#4.5.0)");
            Patience::Lost
        }
    }
}
