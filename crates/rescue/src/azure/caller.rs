//! Under which address this client comes.
//!
//! A cloud cannot be asked that, but it has seen this client: a regain cloud says from
//! where its network sees clients of this host, a token tells who asked for it
//! (`ipaddr`), and the activity log has who asked for what. Both of the latter saw a
//! connection to Azure, which may leave by another way than one to the VM, so the
//! answer carries where it comes from. Only a public address is believed: another says
//! nothing about what a VM sees.

use std::net::IpAddr;

use jiff::{SignedDuration, Timestamp};
use network::{ServiceTag, Tags};
use serde_json::Value;

use super::{Vm, array, text};
use crate::platform::ClientAddress;

/// How far back an entry of the log may be, hours.
const RECENT: i64 = 24;

/// The claim in which a log entry has its caller's object id.
const OBJECT_ID: &str = "http://schemas.microsoft.com/identity/claims/objectidentifier";

/// The client's address, from the first source that has one.
pub(super) async fn address(vm: &Vm) -> Option<ClientAddress> {
    let regain = vm.cloud.endpoints().regain.as_ref();
    if let Some(address) = regain.and_then(|regain| regain.client_address) {
        return Some(ClientAddress { address, from: "the cloud".to_owned() });
    }
    let claims = vm.cloud.claims().await.ok()?;
    if let Some(address) = text(&claims, "/ipaddr").and_then(public) {
        return Some(ClientAddress {
            address,
            from: "the token of this sign-in".to_owned(),
        });
    }
    logged(vm, &claims).await
}

/// This caller's own newest entry of the last day: one request, one page.
async fn logged(vm: &Vm, claims: &Value) -> Option<ClientAddress> {
    let subscription = vm.id.subscription();
    let since = Timestamp::now() - SignedDuration::from_hours(RECENT);
    let since = Timestamp::from_second(since.as_second()).ok()?;
    let path = format!(
        "/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management\
         /values?api-version=2015-04-01&$filter=eventTimestamp%20ge%20'{since}'"
    );
    let page = vm.cloud.get(&path).await.ok()?;
    newest(array(&page, "/value"), claims)
}

fn newest(entries: &[Value], claims: &Value) -> Option<ClientAddress> {
    let (caller, app) = (text(claims, "/oid")?, text(claims, "/appid")?);
    let entry = entries
        .iter()
        .filter(|entry| entry["claims"][OBJECT_ID] == caller)
        .filter(|entry| entry["claims"]["appid"] == app)
        .max_by_key(|entry| entry["eventTimestamp"].as_str())?;
    let address = public(text(entry, "/httpRequest/clientIpAddress")?)?;
    let when = text(entry, "/eventTimestamp").unwrap_or_default();
    let from = format!("this caller's entry of {when} in the activity log");
    Some(ClientAddress { address, from })
}

/// An address of the public space.
fn public(text: &str) -> Option<IpAddr> {
    let address: IpAddr = text.parse().ok()?;
    let internet = Tags::new([]);
    let mut public = internet.prefixes(&ServiceTag::Internet).iter();
    public.any(|net| net.contains(&address)).then_some(address)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_no_public_address_says_nothing() {
        for text in
            ["10.1.2.3", "127.0.0.1", "192.168.1.9", "100.64.0.1", "::1", "fe80::1", "x"]
        {
            assert_eq!(public(text), None, "{text}");
        }
        assert!(public("198.51.100.7").is_some() && public("2600::1").is_some());
    }

    #[test]
    fn only_this_caller_s_own_newest_entry_counts() {
        let entry = |oid: &str, app: &str, when: &str, address: &str| {
            json!({
                "claims": { OBJECT_ID: oid, "appid": app },
                "eventTimestamp": when,
                "httpRequest": { "clientIpAddress": address },
            })
        };
        let entries = [
            entry("me", "az", "2026-11-22T10:00:00Z", "198.51.100.1"),
            entry("me", "az", "2026-11-22T12:00:00Z", "198.51.100.2"),
            entry("me", "portal", "2026-11-22T13:00:00Z", "198.51.100.3"),
            entry("you", "az", "2026-11-22T14:00:00Z", "198.51.100.4"),
        ];
        let me = json!({ "oid": "me", "appid": "az" });
        let found = newest(&entries, &me).unwrap();
        assert_eq!(found.address.to_string(), "198.51.100.2");
        assert!(found.from.contains("2026-11-22T12:00:00Z"));
        assert_eq!(newest(&entries, &json!({ "oid": "nobody", "appid": "az" })), None);
        assert_eq!(newest(&entries, &json!({})), None);
    }
}
