//! STARTTLS (RFC 3207).

use postkiln_session::{Action, Patience};

use crate::context::Context;
use crate::state::State;

/// Begins TLS. The session drops input behind the command, since it was not under TLS (§4.2 and the command injection
/// of CVE-2011-0411).
pub(crate) fn starttls(context: &mut Context) -> State {
    if !context.offers_starttls() {
        let reply =
            if context.secure { "503 5.5.1 TLS already runs (#5.5.1)" } else { "502 5.5.1 unimplemented (#5.5.1)" };
        return State::Idle.after(context.fault(reply));
    }
    context.say("220 2.0.0 ready for TLS");
    context.actions.push(Action::StartTls);
    State::Handshake
}

/// §4.2: nothing said before the handshake counts any more.
pub(crate) fn started(context: &mut Context) -> State {
    context.secure = true;
    context.hello = None;
    context.account = None;
    State::Idle.after(Patience::Left)
}
