//! Records for mail programs: SRV (RFC 6186, RFC 8314 §5.1), and the names from which they fetch settings.

use postkiln_bundle::{Listener, Tls};
use postkiln_site::{Permission, Site};

use super::{Adding, Draft};
use crate::model::{ClientProtocol, ClientServer, Purpose};

/// The servers of a domain, the best first: TLS from the first byte before STARTTLS (RFC 8314 §3).
pub(super) fn servers(site: &Site, draft: &Draft<'_>, listeners: &[Listener]) -> Vec<ClientServer> {
    let Some(mail) = draft.mail.filter(|mail| mail.publishing.client.value) else { return Vec::new() };
    let denied = |protocol| mail.deny.iter().any(|one| one.value == permission(protocol));
    let server = |service: &Service| {
        let listener = listeners.iter().find(|listener| listener.name == service.listener)?;
        let host = site.appliance.hostname.value.clone();
        Some(ClientServer { protocol: service.protocol, host, port: listener.port, tls: listener.tls })
    };
    SERVICES.iter().filter(|service| !denied(service.protocol)).filter_map(server).collect()
}

const fn permission(protocol: ClientProtocol) -> Permission {
    match protocol {
        ClientProtocol::Imap => Permission::Imap,
        ClientProtocol::Pop3 => Permission::Pop3,
        ClientProtocol::Submission => Permission::Submission,
    }
}

/// The records: one for each service, with `.` where there is none, and the names of settings where there are any.
pub(super) fn records(adding: &mut Adding<'_, '_>, servers: &[ClientServer]) {
    let Some(mail) = adding.draft.mail.filter(|mail| mail.publishing.client.value) else { return };
    let place = mail.place(adding.zone, &mail.publishing.client);
    for Service { name, protocol, tls, priority, .. } in SERVICES {
        if adding.taken(name) {
            continue;
        }
        let server = servers.iter().find(|server| server.protocol == *protocol && server.tls == *tls);
        let value = server
            .map_or_else(|| "0 0 0 .".to_owned(), |server| format!("{priority} 1 {} {}.", server.port, server.host));
        adding.add(name, "SRV", value, Purpose::ClientService, place);
    }
    if !ClientServer::suffice(servers) {
        return;
    }
    let hostname = &adding.site.appliance.hostname.value;
    for name in ["autoconfig", "autodiscover"] {
        if !adding.taken(name) && hostname.as_str() != format!("{name}.{}", adding.zone) {
            adding.add(name, "CNAME", format!("{hostname}."), Purpose::ClientSettings, place);
        }
    }
    if !adding.taken("_autodiscover._tcp") {
        adding.add("_autodiscover._tcp", "SRV", format!("0 1 443 {hostname}."), Purpose::ClientSettings, place);
    }
}

/// Whether a name is that of a service for mail programs.
pub(super) fn is_service(name: &str) -> bool {
    SERVICES.iter().any(|service| service.name == name)
}

struct Service {
    /// The owner of the SRV record.
    name: &'static str,
    listener: &'static str,
    protocol: ClientProtocol,
    tls: Tls,
    /// The priority: preferred services have lower numbers (RFC 6186 §3.4). IMAP comes before POP3, TLS from the first
    /// byte before STARTTLS.
    priority: u16,
}

const SERVICES: &[Service] = &[
    Service { name: "_imaps._tcp", listener: "imaps", protocol: ClientProtocol::Imap, tls: Tls::Implicit, priority: 0 },
    Service { name: "_imap._tcp", listener: "imap", protocol: ClientProtocol::Imap, tls: Tls::Starttls, priority: 10 },
    Service {
        name: "_pop3s._tcp",
        listener: "pop3s",
        protocol: ClientProtocol::Pop3,
        tls: Tls::Implicit,
        priority: 20,
    },
    Service { name: "_pop3._tcp", listener: "pop3", protocol: ClientProtocol::Pop3, tls: Tls::Starttls, priority: 30 },
    Service {
        name: "_submissions._tcp",
        listener: "submissions",
        protocol: ClientProtocol::Submission,
        tls: Tls::Implicit,
        priority: 0,
    },
    Service {
        name: "_submission._tcp",
        listener: "submission",
        protocol: ClientProtocol::Submission,
        tls: Tls::Starttls,
        priority: 10,
    },
];
