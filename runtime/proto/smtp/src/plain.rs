//! The commands of one line: RSET, NOOP, HELP, VRFY, QUIT (RFC 5321 §4.1.1.5 to §4.1.1.10).

use crate::context::Context;
use crate::state::State;

pub(crate) fn rset(context: &mut Context) -> State {
    context.say("250 2.0.0 flushed");
    State::Idle
}

pub(crate) fn noop(state: State, context: &mut Context) -> State {
    context.say("250 2.0.0 ok");
    state
}

pub(crate) fn help(state: State, context: &mut Context) -> State {
    context.say("214 2.0.0 https://www.rfc-editor.org/rfc/rfc5321");
    state
}

/// Tells nobody who is here (§7.3).
pub(crate) fn vrfy(state: State, context: &mut Context) -> State {
    context.say("252 2.5.0 send some mail, I'll try my best");
    state
}

pub(crate) fn quit(context: &mut Context) -> State {
    context.say_and_close(&format!("221 2.0.0 {}", context.config.greeting));
    State::Closed
}
