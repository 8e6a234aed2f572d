//! Lists of addresses as OpenSSH writes them (addrmatch.c): `10.0.0.0/8`,
//! `192.0.2.*`, `!10.1.2.3`, separated by commas.

use std::net::IpAddr;

use crate::pattern;

/// A mask that does not fit its address: OpenSSH calls the whole list an error.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct InconsistentMask;

/// Whether an address is in a network of the same family.
pub fn in_network(address: IpAddr, network: IpAddr, length: u32) -> bool {
    match (address, network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            let mask = u32::MAX.checked_shl(32_u32.saturating_sub(length)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            let mask = u128::MAX.checked_shl(128_u32.saturating_sub(length)).unwrap_or(0);
            address.to_bits() & mask == network.to_bits() & mask
        }
        _ => false,
    }
}

/// Whether a list names an address.
///
/// # Errors
///
/// If a network in it has bits behind its mask, or a mask that is too long.
pub fn listed(list: &str, address: IpAddr) -> Result<pattern::Listed, InconsistentMask> {
    let text = address.to_string();
    let mut found = pattern::Listed::No;
    for entry in list.split(',') {
        let (negated, entry) = match entry.strip_prefix('!') {
            Some(entry) => (true, entry),
            None => (false, entry),
        };
        let here = match network(entry)? {
            Some((network, length)) => in_network(address, network, length),
            None => pattern::matches(entry, &text),
        };
        match (here, negated) {
            (true, true) => return Ok(pattern::Listed::Negated),
            (true, false) => found = pattern::Listed::Yes,
            (false, _) => {}
        }
    }
    Ok(found)
}

/// Whether OpenSSH takes a list at all.
///
/// # Errors
///
/// As [`listed`].
pub fn check(list: &str) -> Result<(), InconsistentMask> {
    list.split(',')
        .try_for_each(|entry| network(entry.strip_prefix('!').unwrap_or(entry)).map(drop))
}

/// An address with or without a length; nothing for a pattern or a name.
fn network(entry: &str) -> Result<Option<(IpAddr, u32)>, InconsistentMask> {
    let (start, length) = match entry.split_once('/') {
        Some((start, length)) => (start, Some(length)),
        None => (entry, None),
    };
    let Ok(start) = start.parse::<IpAddr>() else { return Ok(None) };
    let longest = if start.is_ipv4() { 32 } else { 128 };
    let length = match length.map(str::parse::<u32>) {
        None => longest,
        Some(Ok(length)) => length,
        Some(Err(_)) => return Ok(None),
    };
    let bits = match start {
        IpAddr::V4(start) => u128::from(start.to_bits()) << 96,
        IpAddr::V6(start) => start.to_bits(),
    };
    let behind = u128::MAX.checked_shr(length).unwrap_or(0);
    if length > longest || (length < longest && bits & behind != 0) {
        return Err(InconsistentMask);
    }
    Ok(Some((start, length)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::pattern::Listed;

    #[test]
    fn networks_patterns_and_exceptions_are_listed() {
        let here = IpAddr::from([10, 0, 0, 5]);
        let say = |list: &str| listed(list, here);
        assert_eq!(say("10.0.0.5"), Ok(Listed::Yes));
        assert_eq!(say("192.0.2.1,10.0.0.0/24"), Ok(Listed::Yes));
        assert_eq!(say("10.0.*"), Ok(Listed::Yes));
        assert_eq!(say("10.0.0.0/8,!10.0.0.5"), Ok(Listed::Negated));
        assert_eq!(say("2001:db8::/32,host.example"), Ok(Listed::No));
    }

    #[test]
    fn bits_behind_a_mask_void_the_list() {
        assert_eq!(check("10.0.0.1/8"), Err(InconsistentMask));
        assert_eq!(check("10.0.0.0/33"), Err(InconsistentMask));
        assert_eq!(check("0.0.0.0/0,::/0,!10.0.0.1/32,x/y"), Ok(()));
    }
}
