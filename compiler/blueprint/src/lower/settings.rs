//! Control files whose content options of the site decide: the one table of which option makes which file. From a row
//! follow the file, the place that plans and findings name for it, and what is said when `control = {…}` names the same
//! file. What a change costs follows from the file's readers (`schemas/control`). To add an option that is a control
//! file, add a row of [`SETTINGS`].

use postkiln_control as control;
use postkiln_control::{AddressPattern, ControlFile};
use postkiln_site as site;
use postkiln_site::{Ipv6, Network, Place, Placed, Site, TimeServer};

/// A control file and the options that decide it.
pub(crate) struct Setting {
    /// The file's name.
    pub(super) file: &'static str,
    /// The file's content for a site.
    pub(super) content: fn(&Site) -> String,
    /// The options, the most telling first.
    pub(super) options: &'static [SiteOption],
    /// Whether `control` may name the file in place of the options: not where the file is only one of several things
    /// that follow from them, or where its form is our own.
    pub(super) is_open: bool,
}

/// An option that decides a control file.
pub(super) struct SiteOption {
    /// The option's path in the site: `smtp.size`.
    pub(super) path: &'static str,
    /// The place of the option; of one with a default, also where nobody wrote it.
    place: fn(&Site) -> Option<&Place>,
    /// Whether the option says nothing that would be missed if `control` said otherwise.
    is_usual: fn(&Site) -> bool,
}

impl SiteOption {
    /// The place where the site says something by this option.
    pub(super) fn said<'a>(&self, site: &'a Site) -> Option<&'a Place> {
        (self.place)(site).filter(|_| !(self.is_usual)(site))
    }
}

/// The place of the option that decides a control file; `None` where none does, or nobody wrote it.
pub(crate) fn place<'a>(site: &'a Site, file: &str) -> Option<&'a Place> {
    let setting = SETTINGS.iter().find(|setting| setting.file == file)?;
    setting.options.iter().find_map(|option| (option.place)(site))
}

/// A row: the file's type, `open` or `closed` to `control`, the options, the file. An option is a path, the way to its
/// place, and, where it has a default, the test for it.
macro_rules! settings {
    ($($file:ident $access:ident [$($path:literal at $place:expr $(, usually $usual:expr)?);+] = $content:expr;)+) => {
        /// Every control file that options decide, in the order of names.
        pub(crate) const SETTINGS: &[Setting] = &[$(Setting {
            file: <control::$file as ControlFile>::NAME,
            content: |site| {
                let made: fn(&Site) -> control::$file = $content;
                made(site).print()
            },
            options: &[$(SiteOption { path: $path, place: $place, is_usual: settings!(@usual $($usual)?) }),+],
            is_open: settings!(@$access),
        }),+];
    };
    (@open) => { true };
    (@closed) => { false };
    (@usual) => { |_| false };
    (@usual $usual:expr) => { $usual };
}

settings! {
    Badmailfrom open ["smtp.bad_senders" at |site| first(&site.smtp.bad_senders)] =
        |site| control::Badmailfrom(in_order(&site.smtp.bad_senders));
    Badrcptto open ["smtp.bad_recipients" at |site| first(&site.smtp.bad_recipients)] =
        |site| control::Badrcptto(in_order(&site.smtp.bad_recipients));
    Concurrencyincoming open [
        "smtp.connections" at |site| Some(&site.smtp.connections.place),
            usually |site| site.smtp.connections.value == control::Concurrencyincoming::default().0
    ] = |site| control::Concurrencyincoming(site.smtp.connections.value);
    Databytes open [
        "smtp.size" at |site| Some(&site.smtp.size.place), usually |site| site.smtp.size.value == LARGEST_MESSAGE
    ] = |site| control::Databytes(site.smtp.size.value);
    Dnsbllist open ["smtp.dnsbl" at |site| first(&site.smtp.dnsbl)] = block_lists;
    Greylisting open ["smtp.greylisting" at |site| given(&site.smtp.greylisting)] =
        |site| control::Greylisting(site.smtp.greylisting.as_ref().map(|delays| delays.value));
    Helohost open ["smtp.helo" at |site| given(&site.smtp.helo)] = |site| {
        let helo = site.smtp.helo.as_ref().unwrap_or(&site.appliance.hostname);
        control::Helohost(helo.value.clone())
    };
    Maxrcpt open [
        "smtp.recipients" at |site| Some(&site.smtp.recipients.place),
            usually |site| site.smtp.recipients.value == control::Maxrcpt::default().0
    ] = |site| control::Maxrcpt(site.smtp.recipients.value);
    Me closed ["appliance.hostname" at |site| Some(&site.appliance.hostname.place)] =
        |site| control::Me(site.appliance.hostname.value.clone());
    Network closed ["appliance.network" at |site| Some(&site.appliance.network.place)] = network;
    Network6 closed ["appliance.ipv6" at |site| given(&site.appliance.ipv6)] = network6;
    Queuelifetime open [
        "smtp.retry.lifetime" at |site| Some(&site.smtp.lifetime.place),
            usually |site| site.smtp.lifetime.value == control::Queuelifetime::default().0
    ] = |site| control::Queuelifetime(site.smtp.lifetime.value);
    Rates closed [
        "smtp.rates" at |site| given(&site.smtp.rates.connections_per_minute)
            .or(given(&site.smtp.rates.messages_per_hour))
            .or(given(&site.smtp.rates.recipients_per_hour))
    ] = rates;
    Resolvers closed [
        "appliance.network.resolvers" at |site| first(&site.appliance.resolvers).or(Some(&site.appliance.network.place))
    ] = resolvers;
    Scanner closed ["antivirus" at |site| Some(&site.antivirus.engine.place)] = scanner;
    Smarthost closed ["smtp.smarthost" at |site| given(&site.smtp.smarthost)] = smarthost;
    Smtpgreeting open ["smtp.greeting" at |site| given(&site.smtp.greeting)] = |site| {
        let hostname = || site.appliance.hostname.value.to_string();
        control::Smtpgreeting(site.smtp.greeting.as_ref().map_or_else(hostname, |greeting| greeting.value.clone()))
    };
    Smtproutes open [
        "smtp.routes" at |site| site.smtp.routes.values().next().map(|route| &route.place);
        "smtp.smarthost" at |site| given(&site.smtp.smarthost)
    ] = routes;
    Timeservers closed ["appliance.time.servers" at |site| first(&site.appliance.time_servers)] = timeservers;
}

fn first<T>(list: &[Placed<T>]) -> Option<&Place> {
    list.first().map(|one| &one.place)
}

fn given<T>(option: &Option<Placed<T>>) -> Option<&Place> {
    option.as_ref().map(|one| &one.place)
}

/// The patterns in order of their text: the order in which they were written means nothing.
fn in_order(patterns: &[Placed<AddressPattern>]) -> Vec<AddressPattern> {
    let mut patterns: Vec<_> = patterns.iter().map(|pattern| pattern.value.clone()).collect();
    patterns.sort_by_cached_key(ToString::to_string);
    patterns.dedup();
    patterns
}

fn block_lists(site: &Site) -> control::Dnsbllist {
    let lists = site.smtp.dnsbl.iter().map(|list| &list.value);
    let lists = lists.map(|list| control::BlockList { zone: list.zone.clone(), defer: list.defer_on_failure });
    control::Dnsbllist(lists.collect())
}

fn routes(site: &Site) -> control::Smtproutes {
    let routes = site.smtp.routes.iter().map(|(pattern, relay)| (Some(pattern.clone()), relay.value.clone()));
    let rest = site.smtp.smarthost.iter().map(|smarthost| (None, Some(smarthost.value.relay.clone())));
    control::Smtproutes(routes.chain(rest).collect())
}

fn smarthost(site: &Site) -> control::Smarthost {
    let login = site.smtp.smarthost.as_ref().map(|smarthost| &smarthost.value).and_then(|smarthost| {
        let (user, secret) = smarthost.user.as_ref().zip(smarthost.password.as_ref())?;
        let (user, secret) = (user.value.clone(), secret.value.clone());
        let key = smarthost.key.as_ref().map(|key| key.value);
        Some(control::Login { relay: smarthost.relay.clone(), key, user, secret })
    });
    control::Smarthost(login)
}

fn rates(site: &Site) -> control::Rates {
    let rate = |rate: &Option<Placed<u32>>| rate.as_ref().map(|rate| rate.value);
    control::Rates {
        connections_per_minute: rate(&site.smtp.rates.connections_per_minute),
        messages_per_hour: rate(&site.smtp.rates.messages_per_hour),
        recipients_per_hour: rate(&site.smtp.rates.recipients_per_hour),
    }
}

const fn network(site: &Site) -> control::Network {
    match site.appliance.network.value {
        Network::Static { address, prefix, gateway } => control::Network::Static { address, prefix, gateway },
        Network::Dhcp => control::Network::Dhcp,
    }
}

/// The default for `network6`: beside DHCP the network's offer, beside a fixed address nothing.
fn network6(site: &Site) -> control::Network6 {
    match site.appliance.ipv6.as_ref().map(|ipv6| &ipv6.value) {
        None if site.appliance.network.value == Network::Dhcp => control::Network6::Auto,
        None | Some(Ipv6::None) => control::Network6::None,
        Some(Ipv6::Auto) => control::Network6::Auto,
        Some(Ipv6::Static { address, prefix, gateway }) => {
            control::Network6::Static { address: *address, prefix: *prefix, gateway: *gateway }
        }
    }
}

fn timeservers(site: &Site) -> control::Timeservers {
    let server = |server: &Placed<TimeServer>| match &server.value {
        TimeServer::Name(name) => control::Timeserver::Name(name.clone()),
        TimeServer::Address(address) => control::Timeserver::Address(*address),
    };
    control::Timeservers(site.appliance.time_servers.iter().map(server).collect())
}

fn resolvers(site: &Site) -> control::Resolvers {
    let servers = site.appliance.resolvers.iter().map(|server| &server.value);
    control::Resolvers(servers.map(|server| control::Resolver { address: server.address, port: server.port }).collect())
}

fn scanner(site: &Site) -> control::Scanner {
    let engine = match site.antivirus.engine.value {
        site::Engine::None => control::Engine::None,
        site::Engine::Clamav => control::Engine::Clamav,
    };
    let site::OnInfected::Reject = site.antivirus.on_infected.value;
    let site::OnFailure::Defer = site.antivirus.on_failure.value;
    control::Scanner { engine, on_infected: control::OnInfected::Reject, on_failure: control::OnFailure::Defer }
}

/// The schema's default for the largest message in octets: a size that others accept.
const LARGEST_MESSAGE: u64 = 25 << 20;
