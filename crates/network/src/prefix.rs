//! Address prefixes: reading them as strictly as ARM does, writing them back, and
//! taking some away from others.

use std::net::IpAddr;

use ipnet::IpNet;

/// Reads an address or a CIDR block. `None` is what Azure answers with
/// `SecurityRuleInvalidAddressPrefix`, including a block with host bits set
/// (`10.0.0.1/8`).
pub(crate) fn parse(text: &str) -> Option<IpNet> {
    if let Ok(address) = text.parse::<IpAddr>() {
        return Some(IpNet::from(address));
    }
    let net: IpNet = text.parse().ok()?;
    (net.trunc() == net).then_some(net)
}

/// A prefix as people write it in rules: a single address without its length.
pub fn format(net: &IpNet) -> String {
    if net.prefix_len() == net.max_prefix_len() {
        return net.addr().to_string();
    }
    net.to_string()
}

/// Values from the first up to, not including, the second; `None` is past the last
/// value there is.
pub(crate) type Span<K> = (K, Option<K>);

/// An IPv4 prefix as a span of address numbers.
pub(crate) fn v4_span(net: &IpNet) -> Option<Span<u32>> {
    let IpNet::V4(net) = net else { return None };
    Some((net.network().to_bits(), net.broadcast().to_bits().checked_add(1)))
}

/// An IPv6 prefix as a span of address numbers.
pub(crate) fn v6_span(net: &IpNet) -> Option<Span<u128>> {
    let IpNet::V6(net) = net else { return None };
    Some((net.network().to_bits(), net.broadcast().to_bits().checked_add(1)))
}

/// The addresses of `from` that are in none of `holes`, as the fewest prefixes, in
/// ascending order.
pub(crate) fn subtract(from: IpNet, holes: &[IpNet]) -> Vec<IpNet> {
    let mut kept = Vec::new();
    carve(from, holes, &mut kept);
    kept
}

/// Halves a prefix until each piece is either wholly kept or wholly a hole.
fn carve(piece: IpNet, holes: &[IpNet], kept: &mut Vec<IpNet>) {
    if holes.iter().any(|hole| hole.contains(&piece)) {
        return;
    }
    if !holes.iter().any(|hole| piece.contains(hole)) {
        kept.push(piece);
        return;
    }
    // A hole strictly inside a piece means that the piece is longer than one
    // address, so it has two halves.
    let halves = piece.subnets(piece.prefix_len() + 1).into_iter().flatten();
    for half in halves {
        carve(half, holes, kept);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn net(text: &str) -> IpNet {
        parse(text).expect("a prefix")
    }

    #[test]
    fn host_bits_and_words_are_refused() {
        for text in
            ["50.206.209.68/27", "any", "", "10.0.0.0/33", "10.0.0", "10.0.0.1, 10.0.0.2"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_host_is_written_without_its_length() {
        assert_eq!(format(&net("1.1.1.1/32")), "1.1.1.1");
        assert_eq!(format(&net("fd00::/8")), "fd00::/8");
    }

    #[test]
    fn subtracting_leaves_the_fewest_prefixes() {
        let rest = subtract(net("10.0.0.0/8"), &[net("10.64.0.0/10")]);
        assert_eq!(rest, [net("10.0.0.0/10"), net("10.128.0.0/9")]);
    }

    #[test]
    fn a_hole_around_everything_leaves_nothing() {
        assert_eq!(subtract(net("10.0.0.0/8"), &[net("0.0.0.0/0")]), []);
    }
}
