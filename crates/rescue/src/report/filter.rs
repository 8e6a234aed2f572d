//! Blocks of the report -> the packet filter, and the addresses that it looks at.

use std::collections::BTreeMap;

use doctor::case::{Addresses, Iptables, Nft};
use serde_json::json;

use crate::report::{Asked, Part};

/// nftables' rules.
pub(crate) fn nft(part: &Part<'_>, _: &Asked) -> Result<Nft, String> {
    if part.text("none").is_some() {
        // Neither the tool nor the kernel's module: there are no rules.
        return Ok(Nft { ruleset: json!({ "nftables": [] }), chains: None });
    }
    let text = part.text("ruleset").ok_or("the guest has no nft to list its rules")?;
    if part.argument("exit") != Some("0") {
        let said = part.lines("exit").next().unwrap_or("it says nothing");
        return Err(format!("nft failed: {said}"));
    }
    let ruleset = serde_json::from_str(text)
        .map_err(|error| format!("nft's rules cannot be read: {error}"))?;
    Ok(Nft { ruleset, chains: part.text("chains").map(str::to_owned) })
}

/// iptables' rules.
pub(crate) fn iptables(part: &Part<'_>, _: &Asked) -> Result<Iptables, String> {
    let saved = |name| part.text(name).map(str::to_owned);
    Ok(Iptables {
        v4: saved("v4"),
        v6: saved("v6"),
        v4_legacy: saved("v4.legacy"),
        v6_legacy: saved("v6.legacy"),
        ufw: part.text("ufw").is_some(),
    })
}

/// Lines of `INTERFACE ADDRESS`.
pub(crate) fn addresses(part: &Part<'_>, _: &Asked) -> Result<Addresses, String> {
    part.needed("addresses")?;
    let mut interfaces: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for line in part.lines("addresses") {
        if let Some((name, address)) = line.split_once(' ') {
            interfaces.entry(name.to_owned()).or_default().push(address.to_owned());
        }
    }
    Ok(Addresses { interfaces })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::read;

    #[test]
    fn no_tool_is_no_empty_ruleset_unless_the_kernel_has_none() {
        assert!(read("", nft).is_err());
        let none = read("M none\n", nft).unwrap();
        assert_eq!(none.ruleset, json!({ "nftables": [] }));
        let failed = read("M ruleset\n\nM exit 1\nError: no\n", nft).unwrap_err();
        assert_eq!(failed, "nft failed: Error: no");
        assert!(read("M ruleset\n{\"nft\n\nM exit 0\n", nft).is_err());
    }
}
