//! The hosts that take mail for a domain: by `smtproutes`, else by MX, else the domain's own addresses (RFC 5321 §5.1).
//! Only the site's resolvers are asked.

use std::net::SocketAddr;
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{
    ConnectionConfig, NameServerConfig, ResolveHosts, ResolverConfig, ServerOrderingStrategy,
};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::net::{DnsError, NetError};
use hickory_resolver::proto::op::ResponseCode;
use hickory_resolver::proto::rr::rdata::MX;
use hickory_resolver::proto::rr::{Name, RData, RecordType};
use postkiln_address::Domain;
use postkiln_control::RelayHost;
use postkiln_mail::Outcome;

use super::{Config, reply};
use crate::error::NodeError;

/// A host that may take the mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Exchange {
    pub(crate) host: RelayHost,
    pub(crate) port: u16,
    pub(crate) preference: u16,
    /// From `smtproutes`: it may be ourselves.
    pub(crate) routed: bool,
}

impl Exchange {
    pub(crate) fn is_called(&self, name: &Domain) -> bool {
        matches!(&self.host, RelayHost::Name(host) if host == name)
    }

    /// For logs and for TLS.
    pub(crate) fn name(&self) -> String {
        match &self.host {
            RelayHost::Name(name) => name.to_string(),
            RelayHost::Address(address) => address.to_string(),
        }
    }
}

/// A resolver with its cache.
pub(crate) struct Names {
    servers: Vec<SocketAddr>,
    resolver: Option<TokioResolver>,
}

impl Names {
    /// Asks these servers. Without any, only `smtproutes` with addresses lead anywhere.
    pub(crate) fn new(servers: Vec<SocketAddr>) -> Result<Self, NodeError> {
        let resolver = if servers.is_empty() { None } else { Some(resolver(&servers)?) };
        Ok(Self { servers, resolver })
    }

    pub(crate) fn servers(&self) -> &[SocketAddr] {
        &self.servers
    }

    /// The hosts for a domain, best first; never empty.
    pub(crate) async fn exchanges(&self, domain: &Domain, config: &Config) -> Result<Vec<Exchange>, Outcome> {
        if let Some(relay) = config.routes.relay(domain) {
            let (host, port) = (relay.host.clone(), relay.port);
            return Ok(vec![Exchange { host, port, preference: 0, routed: true }]);
        }
        if let Some(address) = domain.literal() {
            let host = RelayHost::Address(address);
            return Ok(vec![Exchange { host, port: config.port, preference: 0, routed: false }]);
        }
        let exchange =
            |preference, host| Exchange { host: RelayHost::Name(host), port: config.port, preference, routed: false };
        let lookup = match self.resolver(domain.as_str())?.mx_lookup(absolute(domain)?).await {
            Ok(lookup) => lookup,
            Err(error) if !is_answered(&error) => return Err(reply::no_lookup(domain.as_str(), &error.to_string())),
            Err(error) if error.is_nx_domain() => return Err(reply::no_host(domain.as_str())),
            // RFC 5321 §5.1: without MX records the domain itself stands in with preference 0.
            Err(_) => return Ok(vec![exchange(0, domain.clone())]),
        };
        let found = lookup.answers().iter().filter_map(|record| match &record.data {
            RData::MX(mx) => Some(mx),
            _ => None,
        });
        let records: Vec<&MX> = found.collect();
        if let [only] = records.as_slice()
            && only.exchange.is_root()
        {
            return Err(reply::null_mx(domain));
        }
        let mut hosts: Vec<Exchange> =
            records.iter().filter_map(|mx| Some(exchange(mx.preference, host_name(&mx.exchange)?))).collect();
        if hosts.is_empty() {
            return Err(reply::no_lookup(domain.as_str(), "its MX records name no host"));
        }
        shuffle(&mut hosts);
        hosts.sort_by_key(|host| host.preference);
        Ok(hosts)
    }

    /// A host's addresses; never empty.
    pub(crate) async fn addresses(&self, exchange: &Exchange) -> Result<Vec<SocketAddr>, Outcome> {
        let name = match &exchange.host {
            RelayHost::Address(address) => return Ok(vec![SocketAddr::new(*address, exchange.port)]),
            RelayHost::Name(name) => name,
        };
        let resolver = self.resolver(name.as_str())?;
        // Both families: the fourth first, many machines have no way out by the sixth. hickory's own `lookup_ip` hides
        // that one of the two was not answered.
        let found = tokio::join!(
            resolver.lookup(absolute(name)?, RecordType::A),
            resolver.lookup(absolute(name)?, RecordType::AAAA)
        );
        let (mut addresses, mut unanswered) = (Vec::new(), None);
        for family in [found.0, found.1] {
            match family {
                Ok(lookup) => addresses.extend(lookup.answers().iter().filter_map(|record| record.data.ip_addr())),
                Err(error) if is_answered(&error) => {}
                Err(error) => unanswered = Some(error),
            }
        }
        match unanswered {
            Some(error) if addresses.is_empty() => Err(reply::no_lookup(name.as_str(), &error.to_string())),
            None if addresses.is_empty() => Err(reply::no_host(name.as_str())),
            _ => Ok(addresses.into_iter().map(|address| SocketAddr::new(address, exchange.port)).collect()),
        }
    }

    fn resolver(&self, name: &str) -> Result<&TokioResolver, Outcome> {
        self.resolver.as_ref().ok_or_else(|| reply::no_lookup(name, "no DNS server is known"))
    }
}

fn resolver(servers: &[SocketAddr]) -> Result<TokioResolver, NodeError> {
    let connections = |port| {
        [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = port;
            connection
        })
    };
    let servers =
        servers.iter().map(|server| NameServerConfig::new(server.ip(), true, connections(server.port()).to_vec()));
    let config = ResolverConfig::from_name_servers(servers.collect());
    let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
    let options = builder.options_mut();
    options.use_hosts_file = ResolveHosts::Never;
    options.server_ordering_strategy = ServerOrderingStrategy::UserProvidedOrder;
    options.timeout = Duration::from_secs(5);
    // A failure that is remembered would outlive the cause: mail is tried again soon enough.
    options.negative_max_ttl = Some(Duration::from_secs(60));
    builder.build().map_err(|error| NodeError::Said(format!("no resolver can be made: {error}")))
}

/// Whether an error is an answer: there is no such name, or it has no such records. A referral is none (RFC 2308
/// §2.2.1): the server has no data of the name and says who may have. Whatever is not answered may be there.
fn is_answered(error: &NetError) -> bool {
    match error {
        NetError::Dns(DnsError::NoRecordsFound(none)) => {
            none.response_code == ResponseCode::NXDomain || none.soa.is_some() || none.ns.is_none()
        }
        _ => false,
    }
}

/// With the root: nothing is appended. Label by label, because hickory's own reading of a text refuses underscores.
fn absolute(domain: &Domain) -> Result<Name, Outcome> {
    let labels = domain.as_str().split('.').map(str::as_bytes);
    Name::from_labels(labels).map_err(|error| reply::no_lookup(domain.as_str(), &error.to_string()))
}

fn host_name(name: &Name) -> Option<Domain> {
    Domain::received(&name.to_ascii()).ok().filter(|name| name.literal().is_none())
}

/// Hosts of equal preference are to be tried in random order (RFC 5321 §5.1).
fn shuffle(hosts: &mut [Exchange]) {
    for end in (1..hosts.len()).rev() {
        // Without randomness the order is always the same: that is no reason to hold mail back.
        let [random] = postkiln_sys::random().unwrap_or_default();
        hosts.swap(end, usize::from(random) % (end + 1));
    }
}
