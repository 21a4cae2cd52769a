//! Grouping of IP addresses by network.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Stands for the address of a client that no trusted proxy reported legibly. It is in no network.
pub const UNKNOWN: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);

/// Whether an address stands for no client: `0.0.0.0` or `::`.
pub fn is_unknown(address: IpAddr) -> bool {
    canonical(address).is_unspecified()
}

/// Maps an IPv4-mapped IPv6 address to its IPv4 address.
pub fn canonical(address: IpAddr) -> IpAddr {
    address.to_canonical()
}

/// The source that throttles count: an IPv4 address, or the /64 of an IPv6 address, since one
/// household or server controls a whole /64.
pub fn source(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[4..].fill(0);
            IpAddr::V6(Ipv6Addr::from(segments))
        }
        v4 => v4,
    }
}

/// The site of an address: its IPv4 /24 or IPv6 /48, the smallest block that a provider gives to
/// a customer who needs more than one address. Limits on stored data count sites, so changing
/// addresses does not evade them.
pub fn site(address: IpAddr) -> IpAddr {
    match canonical(address) {
        IpAddr::V4(v4) => {
            let [a, b, c] = slash_24(v4);
            IpAddr::from([a, b, c, 0])
        }
        IpAddr::V6(v6) => {
            let mut segments = v6.segments();
            segments[3..].fill(0);
            IpAddr::V6(Ipv6Addr::from(segments))
        }
    }
}

/// The site of an address as a range in CIDR notation (RFC 4632).
pub fn site_range(address: IpAddr) -> String {
    let site = site(address);
    let length = if site.is_ipv4() { 24 } else { 48 };
    format!("{site}/{length}")
}

/// Whether two addresses are in one network: both loopback, the same /24 or the same /64. True
/// for a device and a browser side by side; mostly false for a device and a browser that a
/// phisher brought together. False for unknown addresses, which may be different ones.
pub fn is_same_network(a: IpAddr, b: IpAddr) -> bool {
    let (a, b) = (canonical(a), canonical(b));
    if is_unknown(a) || is_unknown(b) {
        return false;
    }
    if a.is_loopback() && b.is_loopback() {
        return true;
    }
    match (a, b) {
        (IpAddr::V4(a), IpAddr::V4(b)) => slash_24(a) == slash_24(b),
        (IpAddr::V6(_), IpAddr::V6(_)) => source(a) == source(b),
        _ => false,
    }
}

fn slash_24(address: Ipv4Addr) -> [u8; 3] {
    let [a, b, c, _] = address.octets();
    [a, b, c]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn networks() {
        let same = |a: &str, b: &str| is_same_network(a.parse().unwrap(), b.parse().unwrap());
        assert!(same("192.0.2.1", "192.0.2.200"));
        assert!(!same("192.0.2.1", "192.0.3.1"));
        assert!(same("127.0.0.1", "::1"));
        assert!(same("::ffff:192.0.2.1", "192.0.2.9"));
        assert!(same("2001:db8:1:2::1", "2001:db8:1:2:ffff::9"));
        assert!(!same("2001:db8:1:2::1", "2001:db8:1:3::1"));
        assert!(!same("192.0.2.1", "2001:db8::1"));
        assert!(!same("0.0.0.0", "0.0.0.0"));
        assert!(!same("0.0.0.0", "0.0.0.1"));
        assert!(!same("::", "::1"));
        let site_of = |text: &str| site(text.parse().unwrap()).to_string();
        assert_eq!(site_of("192.0.2.77"), "192.0.2.0");
        assert_eq!(site_of("2001:db8:1:2::1"), "2001:db8:1::");
        let range_of = |text: &str| site_range(text.parse().unwrap());
        assert_eq!(range_of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(range_of("2001:db8:1:2::1"), "2001:db8:1::/48");
    }
}
