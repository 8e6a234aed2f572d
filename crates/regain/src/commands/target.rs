//! From what was typed to whom rescue asks: a host, a VM, or both.

use std::env;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use arm::ResourceId;
use rescue::azure::Vm;
use rescue::{Channel, ClientAddress, Login, Platform, Request, Through};
use serde_json::Value;

use crate::api::{self, COMPUTE, NETWORK};
use crate::args::rescue::Target;
use crate::context::Context;
use crate::failure::Failure;
use crate::lab::{LabState, vms};
use crate::session::{Session, is_at_hand};

/// `[USER@]HOST[:PORT]`
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Host {
    pub(super) user: Option<String>,
    pub(super) host: String,
    pub(super) port: Option<u16>,
}

/// Finds out what the target is. A VM that does not exist is an error here, so
/// that nothing is asked about it.
pub(super) async fn request(
    target: &Target,
    context: &Context,
) -> Result<Request, Failure> {
    let host = target.host.as_deref().map(parse_host).transpose()?;
    let named = match (&target.id, &target.group, &target.name) {
        (Some(id), _, _) => Some(VmRef::Id(id)),
        (None, Some(group), Some(name)) => Some(VmRef::Name(group, name)),
        (None, None, None) => None,
        _ => return Err(Failure::usage("a VM is named by both -g and -n")),
    };
    let (session, vm) = match (&named, &host) {
        (Some(named), _) => {
            let session = context.sign_in().await?;
            let vm = named.find(&session).await?;
            (Some(session), Some(vm))
        }
        (None, Some(host)) => behind(&host.host, context).await,
        (None, None) => {
            return Err(Failure::usage("what to look at is not said")
                .next("name a VM with -g and -n, or a host as [USER@]HOST[:PORT]"));
        }
    };
    let administrator = vm
        .as_ref()
        .and_then(|vm| vm["properties"]["osProfile"]["adminUsername"].as_str())
        .map(str::to_owned);
    let id = vm.as_ref().and_then(|vm| ResourceId::parse(vm["id"].as_str()?).ok());
    let (typed_user, host, typed_port) =
        host.map_or((None, None, None), |host| (host.user, Some(host.host), host.port));
    let user = target
        .user
        .clone()
        .or(typed_user)
        .or(administrator)
        .or_else(|| env::var("USER").ok())
        .ok_or_else(|| {
            Failure::usage("whose login is meant is not known").next("add --user")
        })?;
    let identity = target.identity.clone().or_else(|| lab_key(context, id.as_ref()));
    let machine = match (session, id, vm) {
        (Some(session), Some(id), Some(vm)) => Some(Vm::seen(session.client, id, vm)),
        _ => None,
    };
    let through = match &target.through {
        Some(text) => {
            let login = Login {
                identity: identity.clone(),
                known_hosts: target.known_hosts.clone(),
                ..login(text)?
            };
            let connect_timeout = target.connect_timeout;
            Some(Through { login, connect_timeout }.channel())
        }
        None => None,
    };
    let agent = || machine.clone().map(|vm| vm as Arc<dyn Channel>);
    Ok(Request {
        user,
        host,
        port: target.port.or(typed_port).unwrap_or(22),
        identity,
        known_hosts: target.known_hosts.clone(),
        channel: through.or_else(agent),
        platform: machine.map(|vm| vm as Arc<dyn Platform>),
        client_address: target.client_address.map(|address| ClientAddress {
            address,
            from: "--client-address".to_owned(),
        }),
        connect_timeout: target.connect_timeout,
    })
}

/// A VM as it was named.
enum VmRef<'a> {
    Id(&'a str),
    Name(&'a str, &'a str),
}

impl VmRef<'_> {
    async fn find(&self, session: &Session) -> Result<Value, Failure> {
        let id = match self {
            Self::Id(text) => super::vm::vm_id(text)?,
            Self::Name(group, name) => session.vm(group, name)?,
        };
        Ok(session.client.get(&api::with_instance_view(&id, COMPUTE)).await?)
    }
}

/// How long a name server may take to say what a host's name stands for.
const NAME: Duration = Duration::from_secs(2);

/// The VM behind a host, if a cloud at hand has it. Whatever goes wrong here, the host
/// itself can still be looked at.
async fn behind(host: &str, context: &Context) -> (Option<Session>, Option<Value>) {
    if !is_at_hand(&context.global) {
        return (None, None);
    }
    let Some(address) = address_of(host).await else { return (None, None) };
    let Ok(session) = context.sign_in().await else { return (None, None) };
    match vm_of_address(&session, &address.to_string()).await {
        Ok(Some(vm)) => (Some(session), Some(vm)),
        Ok(None) => (None, None),
        Err(failure) => {
            tracing::warn!(
                error = failure.chain(),
                host,
                "cannot look for the VM of this address"
            );
            (None, None)
        }
    }
}

/// The first address of a host; an alias of ssh's own configuration has none.
async fn address_of(host: &str) -> Option<IpAddr> {
    if let Ok(address) = host.parse() {
        return Some(address);
    }
    let found = tokio::time::timeout(NAME, tokio::net::lookup_host((host, 22))).await;
    Some(found.ok()?.ok()?.next()?.ip())
}

/// Public address → IP configuration → NIC → VM.
async fn vm_of_address(
    session: &Session,
    address: &str,
) -> Result<Option<Value>, Failure> {
    let scope = session.scope(None)?;
    let path =
        api::below(&scope, "providers/Microsoft.Network/publicIPAddresses", NETWORK);
    let all = session.client.list(&path).await?;
    let nic = all
        .iter()
        .find(|public| public["properties"]["ipAddress"] == address)
        .and_then(|public| public["properties"]["ipConfiguration"]["id"].as_str())
        .and_then(|configuration| ResourceId::parse(configuration).ok()?.parent());
    let Some(nic) = nic else { return Ok(None) };
    let nic = session.client.get(&api::path(&nic, NETWORK)).await?;
    let vm = nic["properties"]["virtualMachine"]["id"].as_str();
    let Some(vm) = vm.and_then(|id| ResourceId::parse(id).ok()) else { return Ok(None) };
    Ok(Some(session.client.get(&api::with_instance_view(&vm, COMPUTE)).await?))
}

/// The key that the lab made for the VM.
fn lab_key(context: &Context, vm: Option<&ResourceId>) -> Option<std::path::PathBuf> {
    let vm = vm?;
    let path = vms::key_path(&LabState::of(&context.global), vm.group()?, vm.name());
    path.is_file().then_some(path)
}

/// Reads a login that goes through to the guest.
pub(super) fn login(text: &str) -> Result<Login, Failure> {
    let Host { user, host, port } = parse_host(text)?;
    Ok(Login { user, host, port, identity: None, known_hosts: None })
}

/// Reads a host as ssh takes it.
pub(super) fn parse_host(text: &str) -> Result<Host, Failure> {
    let wrong = || {
        Failure::usage(format!("'{text}' is not a host")).next(
            "write [USER@]HOST[:PORT], and an IPv6 address with a port as [ADDRESS]:PORT",
        )
    };
    let (user, rest) = match text.rsplit_once('@') {
        Some((user, rest)) => (Some(user.to_owned()), rest),
        None => (None, text),
    };
    let (host, port) = if let Some(inner) = rest.strip_prefix('[') {
        let (host, after) = inner.split_once(']').ok_or_else(wrong)?;
        (host, after.strip_prefix(':').map(str::to_owned))
    } else if rest.parse::<IpAddr>().is_ok() {
        (rest, None)
    } else {
        match rest.split_once(':') {
            Some((host, port)) => (host, Some(port.to_owned())),
            None => (rest, None),
        }
    };
    let port = port.map(|port| port.parse::<u16>().map_err(|_| wrong())).transpose()?;
    // ssh would take a host that starts with a dash for an option.
    let bad = |word: &str| {
        word.is_empty() || word.starts_with('-') || word.contains(char::is_whitespace)
    };
    if bad(host) || user.as_deref().is_some_and(bad) || port == Some(0) {
        return Err(wrong());
    }
    Ok(Host { user, host: host.to_owned(), port })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn host(user: Option<&str>, host: &str, port: Option<u16>) -> Host {
        Host { user: user.map(str::to_owned), host: host.to_owned(), port }
    }

    #[test]
    fn hosts_are_typed_as_for_ssh() {
        for (text, expected) in [
            ("vm1", host(None, "vm1", None)),
            ("me@vm1:2222", host(Some("me"), "vm1", Some(2222))),
            ("me@corp@vm1", host(Some("me@corp"), "vm1", None)),
            ("127.64.0.4", host(None, "127.64.0.4", None)),
            ("::1", host(None, "::1", None)),
            ("me@[::1]:22", host(Some("me"), "::1", Some(22))),
        ] {
            assert_eq!(parse_host(text).unwrap(), expected, "{text}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in
            ["", "@vm1", "vm1:x", "vm1:0", "-oProxyCommand=x", "me@-x", "[::1", "a b"]
        {
            assert_eq!(parse_host(text).unwrap_err().exit_code(), 2, "{text}");
        }
    }
}
