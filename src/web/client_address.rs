//! The IP address of the client, and the proxies that report it.

use actix_web::HttpRequest;
use actix_web::http::header::{HeaderMap, X_FORWARDED_FOR};
use config::Config;
use domain::network;
use std::net::{IpAddr, SocketAddr};
use std::sync::Once;

/// IP address of the peer of the connection.
fn peer(request: &HttpRequest) -> IpAddr {
    request
        .peer_addr()
        .map_or(IpAddr::from([127, 0, 0, 1]), |peer| {
            network::canonical(peer.ip())
        })
}

/// Whether an IP address is one of a trusted proxy.
fn is_trusted(config: &Config, address: IpAddr) -> bool {
    let proxies = &config.server.trusted_proxies;
    proxies.iter().any(|proxy| proxy.contains(&address))
}

/// Whether the request comes directly from a trusted proxy.
pub fn is_from_proxy(config: &Config, request: &HttpRequest) -> bool {
    is_trusted(config, peer(request))
}

/// IP address of the client. `X-Forwarded-For` counts only from a trusted proxy.
pub fn client_address(config: &Config, request: &HttpRequest) -> IpAddr {
    let peer = peer(request);
    let headers = request.headers();
    if is_trusted(config, peer) {
        return forwarded(headers, peer, |address| is_trusted(config, address));
    }
    if hops(headers).next().is_some() {
        static ONCE: Once = Once::new();
        ONCE.call_once(|| {
            tracing::warn!(
                address = %peer,
                "X-Forwarded-For is ignored: its sender is not in [server] trusted_proxies. \
                 If it is a proxy, add it; otherwise all clients share its address."
            );
        });
    }
    peer
}

/// Whether [`client_address`] is certainly that of a client: it is none of a trusted proxy, and no
/// other proxy took part that says so.
pub fn is_certain(config: &Config, request: &HttpRequest) -> bool {
    let has_hops = hops(request.headers()).next().is_some();
    let is_ignored = has_hops && !is_trusted(config, peer(request));
    !is_ignored && !is_trusted(config, client_address(config, request))
}

/// Hops of `X-Forwarded-For` from the nearest to the farthest: the elements of all its lines, read
/// from the right, as bytes. Any byte may come from the client, and must not hide what a proxy
/// appended. Empty elements are skipped.
fn hops(headers: &HeaderMap) -> impl Iterator<Item = &[u8]> {
    let lines: Vec<_> = headers.get_all(X_FORWARDED_FOR).collect();
    lines
        .into_iter()
        .rev()
        .flat_map(|line| line.as_bytes().rsplit(|byte| *byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|hop| !hop.is_empty())
}

/// The first hop that is not a trusted proxy; the farthest hop if all are.
///
/// A garbled hop ends the reading. A trusted proxy reported it, so it stands for a client, whose
/// address is then [`network::UNKNOWN`]: not that of the proxy, which may be in networks where the
/// client is not.
fn forwarded(headers: &HeaderMap, peer: IpAddr, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let mut address = peer;
    for hop in hops(headers) {
        let known = read_hop(hop).filter(|hop| !network::is_unknown(*hop));
        let Some(known) = known else {
            return network::UNKNOWN;
        };
        address = known;
        if !is_trusted(address) {
            break;
        }
    }
    address
}

/// Parses an IP address as proxies write it: bare, with a port, in brackets, with a zone, in
/// quotes.
fn read_hop(hop: &[u8]) -> Option<IpAddr> {
    let hop = std::str::from_utf8(hop).ok()?;
    let quoted = hop
        .strip_prefix('"')
        .and_then(|hop| hop.strip_suffix('"'))
        .map(str::trim);
    let hop = quoted.unwrap_or(hop);
    let address = match hop.strip_prefix('[') {
        Some(rest) => {
            let (enclosed, port) = rest.split_once(']')?;
            let is_port = |port: &str| port.parse::<u16>().is_ok();
            let is_legal = port.is_empty() || port.strip_prefix(':').is_some_and(is_port);
            is_legal.then(|| without_zone(enclosed).parse().ok())?
        }
        None => {
            let with_port = || Some(hop.parse::<SocketAddr>().ok()?.ip());
            without_zone(hop).parse().ok().or_else(with_port)
        }
    };
    address.map(network::canonical)
}

/// An IPv6 address without its zone (RFC 4007 section 11), which means nothing on this machine.
fn without_zone(text: &str) -> &str {
    match text.split_once('%') {
        Some((address, zone)) if address.contains(':') && !zone.is_empty() => address,
        _ => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::http::header::HeaderValue;

    const PROXY: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 1));

    fn is_proxy(address: IpAddr) -> bool {
        matches!(address, IpAddr::V4(v4) if v4.octets()[0] == 10)
    }

    fn read(lines: &[&[u8]]) -> String {
        let mut headers = HeaderMap::new();
        for line in lines {
            let line = HeaderValue::from_bytes(line).unwrap();
            headers.append(X_FORWARDED_FOR, line);
        }
        forwarded(&headers, PROXY, is_proxy).to_string()
    }

    #[test]
    fn hop_is_an_address_in_any_form_of_a_proxy() {
        for (hop, address) in [
            ("203.0.113.7", "203.0.113.7"),
            ("203.0.113.7:4711", "203.0.113.7"),
            ("  203.0.113.7\t", "203.0.113.7"),
            ("\"203.0.113.7:4711\"", "203.0.113.7"),
            ("\" 203.0.113.7 \"", "203.0.113.7"),
            ("2001:db8::7", "2001:db8::7"),
            ("[2001:db8::7]", "2001:db8::7"),
            ("[2001:db8::7]:4711", "2001:db8::7"),
            ("\"[2001:db8::7]:4711\"", "2001:db8::7"),
            ("fe80::7%eth0", "fe80::7"),
            ("[fe80::7%25eth0]:4711", "fe80::7"),
            ("::ffff:203.0.113.7", "203.0.113.7"),
            ("[::ffff:203.0.113.7]:1", "203.0.113.7"),
        ] {
            assert_eq!(read(&[hop.as_bytes()]), address, "{hop}");
        }
    }

    #[test]
    fn garbled_hop_is_an_unknown_client_and_not_the_proxy() {
        for hop in [
            "é",
            "unknown",
            "_hidden",
            "localhost",
            "203.0.113",
            "203.0.113.7:",
            "203.0.113.7:x",
            "203.0.113.7:65536",
            "203.0.113.7%eth0",
            "203.0.113.7 10.0.0.2",
            "\"203.0.113.7",
            "\"\"",
            "[203.0.113.7",
            "2001:db8::7]",
            "[2001:db8::7]4711",
            "[2001:db8::7]:",
            "[[2001:db8::7]]",
            "fe80::7%",
            "for=203.0.113.7",
            "0.0.0.0",
            "::",
            "::ffff:0.0.0.0",
        ] {
            for lines in [
                &[hop.as_bytes()][..],
                &[b"198.51.100.1", hop.as_bytes()],
                &[hop.as_bytes(), b"10.0.0.2"],
            ] {
                assert_eq!(read(lines), "0.0.0.0", "{lines:?}");
            }
        }
    }

    #[test]
    fn hops_are_read_from_the_right_over_all_lines() {
        for (lines, address) in [
            (&[][..], "10.0.0.1"),
            (&[&b""[..], b" , ,"], "10.0.0.1"),
            (&[b"10.0.0.3, 10.0.0.2"], "10.0.0.3"),
            (&[b"1.1.1.1, 203.0.113.7"], "203.0.113.7"),
            (&[b"1.1.1.1, 203.0.113.7, 10.0.0.2"], "203.0.113.7"),
            (&[b"1.1.1.1", b"203.0.113.7"], "203.0.113.7"),
            (&[b"203.0.113.7", b"10.0.0.2"], "203.0.113.7"),
            (
                &[b"203.0.113.7,,", b",", b"", b" ,10.0.0.2 ,"],
                "203.0.113.7",
            ),
            (&[b"\xff\xfe, 203.0.113.7"], "203.0.113.7"),
            (&["é".as_bytes(), b"203.0.113.7, 10.0.0.2"], "203.0.113.7"),
            (&[b"\", 203.0.113.7"], "203.0.113.7"),
        ] {
            assert_eq!(read(lines), address, "{lines:?}");
        }
    }

    proptest::proptest! {
        /// Whatever a client sends, the address that its proxy appends wins.
        #[test]
        fn client_cannot_hide_what_the_proxy_appended(bytes: Vec<u8>) {
            let mut sent: Vec<u8> = bytes;
            sent.retain(|byte| *byte >= 32 && *byte != 127);
            let line = [&sent, &b", 203.0.113.7"[..]].concat();
            assert_eq!(read(&[&line]), "203.0.113.7");
            assert_eq!(read(&[&sent, b"203.0.113.7"]), "203.0.113.7");
            assert_ne!(read(&[&[&sent, &b"x"[..]].concat()]), PROXY.to_string());
        }
    }
}
