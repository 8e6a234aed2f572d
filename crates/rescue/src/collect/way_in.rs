//! The way in: what the probe finds, and a real login beside it.
//!
//! The login starts as soon as TCP has come up, beside the greeting and not after it:
//! a server that never sends its banner would otherwise be waited for twice, and of a
//! server that drops connections at random two samples say more than one.

use doctor::case::{
    Greeting, GreetingOutcome, Login, Name, Resolution, Section, Tcp, TcpOutcome,
};
use probe::Limits;

use crate::collect::{Watcher, asked, ended};
use crate::request::Request;
use crate::ssh::{HostKeys, Settings, login};
use crate::why;

/// Name, TCP, greeting, login.
pub(crate) type WayIn = (Section<Name>, Section<Tcp>, Section<Greeting>, Section<Login>);

/// Walks the way in as far as it goes.
pub(crate) async fn way_in(
    request: &Request,
    settings: &Settings,
    host_keys: &HostKeys,
    watch: Watcher<'_>,
) -> WayIn {
    let limits = Limits { connect: request.connect_timeout, ..Limits::default() };
    if let Some(proxy) = &settings.proxy {
        let why = format!("ssh goes through {proxy}, so this host is not asked directly");
        return through_proxy(request, settings, host_keys, &why, watch).await;
    }
    asked(watch, "name");
    let name = probe::Names::system().resolve(&settings.hostname, limits.name).await;
    let addresses = name.addresses().to_vec();
    let name = ended(watch, "name", Section::Collected(name_section(name)));
    if addresses.is_empty() {
        return stop_at_name(name, watch);
    }
    asked(watch, "tcp");
    let (attempts, stream) =
        probe::connect_any(&addresses, settings.port, limits.connect).await;
    let tcp = match probe::telling(&attempts) {
        Some(attempt) => Section::Collected(tcp_section(attempt)),
        None => Section::NotTried("there is no address to try".to_owned()),
    };
    let tcp = ended(watch, "tcp", tcp);
    let Some(stream) = stream else {
        let why = || "TCP did not come up, so there is nothing to talk to".to_owned();
        let greeting = ended(watch, "greeting", Section::NotTried(why()));
        return (name, tcp, greeting, ended(watch, "login", Section::NotTried(why())));
    };
    let greet = async {
        asked(watch, "greeting");
        let greeting = probe::greet(stream, limits.greeting).await;
        ended(watch, "greeting", Section::Collected(greeting_section(greeting)))
    };
    let (greeting, login) =
        tokio::join!(greet, log_in(request, settings, host_keys, watch));
    (name, tcp, greeting, login)
}

fn stop_at_name(name: Section<Name>, watch: Watcher<'_>) -> WayIn {
    let why = || "the host's name has no address".to_owned();
    let tcp = ended(watch, "tcp", Section::NotTried(why()));
    let greeting = ended(watch, "greeting", Section::NotTried(why()));
    (name, tcp, greeting, ended(watch, "login", Section::NotTried(why())))
}

async fn through_proxy(
    request: &Request,
    settings: &Settings,
    host_keys: &HostKeys,
    why: &str,
    watch: Watcher<'_>,
) -> WayIn {
    let why = || why.to_owned();
    let name = ended(watch, "name", Section::NotTried(why()));
    let tcp = ended(watch, "tcp", Section::NotTried(why()));
    let greeting = ended(watch, "greeting", Section::NotTried(why()));
    (name, tcp, greeting, log_in(request, settings, host_keys, watch).await)
}

async fn log_in(
    request: &Request,
    settings: &Settings,
    host_keys: &HostKeys,
    watch: Watcher<'_>,
) -> Section<Login> {
    asked(watch, "login");
    let section = match login(settings, host_keys, request.connect_timeout).await {
        Ok(login) => Section::Collected(login),
        Err(error) => Section::Failed(why::chain(&error)),
    };
    ended(watch, "login", section)
}

fn name_section(name: probe::Name) -> Name {
    let texts = |addresses: Vec<std::net::IpAddr>| {
        addresses.iter().map(ToString::to_string).collect()
    };
    let resolution = match name.resolution {
        probe::Resolution::Literal { addresses } => {
            Resolution::Literal { addresses: texts(addresses) }
        }
        probe::Resolution::Resolved { addresses, .. } => {
            Resolution::Resolved { addresses: texts(addresses) }
        }
        probe::Resolution::NxDomain { server } => Resolution::NxDomain { server },
        probe::Resolution::NoAddress { server } => Resolution::NoAddress { server },
        probe::Resolution::Unanswered { error } => Resolution::Unanswered { error },
    };
    Name { name: name.name, resolution }
}

fn tcp_section(tcp: &probe::Tcp) -> Tcp {
    let outcome = match tcp.outcome {
        probe::TcpOutcome::Connected => TcpOutcome::Connected,
        probe::TcpOutcome::TimedOut => TcpOutcome::TimedOut,
        probe::TcpOutcome::Refused => TcpOutcome::Refused,
        probe::TcpOutcome::HostUnreachable => TcpOutcome::HostUnreachable,
        probe::TcpOutcome::NetworkUnreachable => TcpOutcome::NetworkUnreachable,
        probe::TcpOutcome::LocallyDenied => TcpOutcome::LocallyDenied,
        probe::TcpOutcome::Reset => TcpOutcome::Reset,
    };
    Tcp {
        address: tcp.peer.ip().to_string(),
        port: tcp.peer.port(),
        outcome,
        millis: tcp.millis,
        local_address: tcp.local.map(|local| local.ip().to_string()),
        error: tcp.error.clone(),
    }
}

fn greeting_section(greeting: probe::Greeting) -> Greeting {
    let outcome = match greeting.outcome {
        probe::GreetingOutcome::Ok => GreetingOutcome::Ok,
        probe::GreetingOutcome::Silent => GreetingOutcome::Silent,
        probe::GreetingOutcome::Closed => GreetingOutcome::Closed,
        probe::GreetingOutcome::Reset => GreetingOutcome::Reset,
        probe::GreetingOutcome::NotSsh => GreetingOutcome::NotSsh,
        probe::GreetingOutcome::NoKexinit => GreetingOutcome::NoKexinit,
    };
    let offer = greeting.offer.unwrap_or_default();
    Greeting {
        banner: greeting.banner,
        before_banner: greeting.before_banner,
        outcome,
        banner_millis: greeting.banner_millis,
        kex: offer.kex,
        host_key_algorithms: offer.host_key_algorithms,
        ciphers: offer.ciphers_to_client,
        macs: offer.macs_to_client,
    }
}
