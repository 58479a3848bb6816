//! Places within parts of a site, for the rows of [`crate::impact`] and for [`crate::origin`].

use postkiln_findings::Place;
use postkiln_site::{Limits, MailDomain, Placed, Publishing, Site};

/// The place of a field that has none of its own.
pub(crate) const fn whole<T>(_: &T) -> Option<&Place> {
    None
}

/// The place of a value that always has one.
pub(crate) const fn one<T>(value: &Placed<T>) -> Option<&Place> {
    Some(&value.place)
}

/// The place of a value that may be absent.
pub(crate) fn any<T>(value: &Option<Placed<T>>) -> Option<&Place> {
    value.as_ref().map(|value| &value.place)
}

/// The place of the first element of a list.
pub(crate) fn first<T>(list: &[Placed<T>]) -> Option<&Place> {
    list.first().map(|one| &one.place)
}

/// The place of a domain's field. `None` for a default, which has the place of the whole domain: the domain's
/// name says more.
pub(crate) fn written<'a>(mail: &MailDomain, field: &'a Place) -> Option<&'a Place> {
    let Publishing { spf, dmarc, mta_sts, client, .. } = &mail.publishing;
    let others = [&mail.catch_all.place, &mail.subaddress.place, &mail.managed.place];
    let others = others.into_iter().chain([&spf.place, &dmarc.place, &mta_sts.place, &client.place]);
    let ends = |place: &Place| ((place.line, place.column), (place.end_line, place.end_column));
    let (start, end) = ends(field);
    let within = |other: &&Place| {
        let (first, last) = ends(other);
        other.file == field.file && start <= first && last <= end
    };
    (others.filter(within).count() == 1).then_some(field)
}

/// The place of the first limit that is written.
pub(crate) fn limits(limits: &Limits) -> Option<&Place> {
    // That quotas may be more together is of interest to `check` alone.
    let Limits {
        users,
        aliases,
        forwards,
        autoresponders,
        lists,
        quota,
        overcommit: _,
        default_quota,
        default_quota_messages,
    } = limits;
    let all = [users, aliases, forwards, autoresponders, lists, quota, default_quota, default_quota_messages];
    all.into_iter().flatten().map(|limit| &limit.place).next()
}

/// The place from which the machine's public addresses come.
pub(crate) fn address<'a>(site: &'a Site, kind: &str) -> &'a Place {
    let four = site.dns.address.as_ref().map(|one| &one.place).filter(|_| kind != "AAAA");
    let six = site.dns.address6.as_ref().map(|one| &one.place).filter(|_| kind != "A");
    four.or(six).unwrap_or(&site.appliance.network.place)
}
