//! The way in, hop by hop, for the path picture.
//!
//! Two kinds of evidence meet here. Some hops were *passed* by the login (name,
//! tcp, key exchange, ...): behind the one where it ended, nothing was tried, and
//! they are `skipped`. Others can be looked at from the side (network, platform,
//! firewall, sshd), whether or not the login got that far.

use crate::case::{Case, LoginStage, NextHop};
use crate::facts::{Facts, FirewallVerdict, Known};
use crate::lang::Lang;
use crate::symptom::{self, Stage, Symptom};
use crate::verdict::{Hop, HopState};

/// Walks the way in.
pub(crate) fn walk(
    case: &Case,
    facts: &Facts,
    observed: Option<Symptom>,
    lang: Lang,
) -> Vec<Hop> {
    let walk = Walk { facts, observed, reachable: symptom::reachable(case), case, lang };
    let hops: [(&'static str, Seen); 10] = [
        ("client", walk.client()),
        ("name", walk.name()),
        ("network", walk.network()),
        ("platform", walk.platform()),
        ("firewall", walk.firewall()),
        ("tcp", walk.tcp()),
        ("sshd", walk.sshd()),
        ("key-exchange", walk.key_exchange()),
        ("authentication", walk.authentication()),
        ("session", walk.session()),
    ];
    hops.into_iter()
        .map(|(hop, (state, evidence))| Hop { hop, state, evidence })
        .collect()
}

/// A hop's state and what shows it.
type Seen = (HopState, String);

struct Walk<'a> {
    case: &'a Case,
    facts: &'a Facts,
    observed: Option<Symptom>,
    reachable: bool,
    lang: Lang,
}

impl Walk<'_> {
    fn unknown(&self, why: Option<&str>) -> Seen {
        (HopState::Unknown, why.unwrap_or_default().to_owned())
    }

    /// State of a hop that the login itself passes, by the stage where it ended.
    fn passed(&self, stage: Stage) -> HopState {
        if self.reachable {
            return HopState::Ok;
        }
        match self.observed.map(Symptom::stage) {
            None => HopState::Unknown,
            Some(ended) if ended == stage => HopState::Failed,
            Some(ended) if ended > stage => HopState::Ok,
            Some(_) => HopState::Skipped,
        }
    }

    /// Whether something behind the network has answered, be it with a refusal.
    fn answered(&self) -> bool {
        self.reachable
            || self.observed.is_some_and(|observed| {
                observed == Symptom::TcpRefused || observed.stage() > Stage::Tcp
            })
    }

    /// ssh's own last words, which are about the stage where the login ended.
    fn last_words(&self) -> String {
        let login = self.facts.login.as_ref();
        let lines = login.map_or(&[][..], |login| login.stderr.as_slice());
        let says = |line: &&String| {
            !line.trim().is_empty() && !line.contains("Permanently added")
        };
        lines.iter().rfind(says).map(|line| line.trim().to_owned()).unwrap_or_default()
    }

    fn client(&self) -> Seen {
        let refused =
            self.facts.login.as_ref().and_then(|login| login.refused_key_files.first());
        if let (Some(key), false) = (refused, self.reachable) {
            let text = self.lang.pick(
                format!("{} has mode {}: ssh ignores it", key.path, key.mode),
                format!("{} のモードは {}: ssh はこの鍵を無視する", key.path, key.mode),
            );
            return (HopState::Failed, text);
        }
        let Some(client) = &self.facts.client else {
            return self.unknown(self.case.client.why_not());
        };
        let Some(key) = &client.identity else {
            return (HopState::Ok, client.ssh_version.clone());
        };
        let mode = key.mode.as_deref().unwrap_or("?");
        match (key.exists, key.too_open) {
            _ if self.reachable => (HopState::Ok, format!("{} ({mode})", key.path)),
            (false, _) => {
                let text = self.lang.pick("does not exist", "は存在しない");
                (HopState::Failed, format!("{} {text}", key.path))
            }
            (true, Some(true)) => {
                let text = self.lang.pick("readable by others", "他のユーザーが読める");
                (HopState::Failed, format!("{} ({mode}): {text}", key.path))
            }
            (true, _) => (HopState::Ok, format!("{} ({mode})", key.path)),
        }
    }

    fn name(&self) -> Seen {
        let Some(name) = &self.facts.name else {
            return match self.passed(Stage::Name) {
                HopState::Failed => (HopState::Failed, self.last_words()),
                _ => self.unknown(self.case.name.why_not()),
            };
        };
        let by = name.said_by.as_deref().unwrap_or_default();
        match name.outcome {
            "literal" => (HopState::Ok, name.addresses.join(", ")),
            "resolved" => {
                (HopState::Ok, format!("{} → {}", name.name, name.addresses.join(", ")))
            }
            "unanswered" => (HopState::Failed, format!("{}: {by}", name.name)),
            _ => {
                let text = self.lang.pick("does not exist", "は存在しない");
                (HopState::Failed, format!("{} {text} ({by})", name.name))
            }
        }
    }

    fn network(&self) -> Seen {
        let Some(network) = &self.facts.network else {
            return self.unknown(self.case.network.why_not());
        };
        let rule = match network.priority {
            Some(priority) => format!("{} ({priority})", network.rule),
            None => network.rule.clone(),
        };
        let decided = format!("NSG {}: {rule}", network.nsg);
        match network.access.known().copied() {
            Some("Deny") if self.answered() => (
                HopState::Ok,
                self.lang.pick(
                    format!("lets TCP through, although {decided} denies a new connection from this address"),
                    format!("TCP を通している (ただし {decided} はこのアドレスからの新しい接続を拒否する)"),
                ),
            ),
            Some("Deny") if network.rule.is_empty() => {
                (HopState::Failed, network.decided_by.clone().unwrap_or_default())
            }
            Some("Deny") => (HopState::Failed, format!("{decided} → Deny")),
            Some(_) if network.reply_next_hop == Some(NextHop::None) => {
                let text = self.lang.pick(
                    "a route drops the replies to the client",
                    "クライアントへの応答をルートが破棄する",
                );
                (HopState::Failed, text.to_owned())
            }
            Some(_) if network.rule.is_empty() => (
                HopState::Ok,
                self.lang.pick("no NSG applies", "NSG は適用されない").to_owned(),
            ),
            Some(_) => (HopState::Ok, format!("{decided} → Allow")),
            None => self.unknown(network.access.why_not()),
        }
    }

    fn platform(&self) -> Seen {
        let Some(platform) = &self.facts.platform else {
            return self.unknown(self.case.platform.why_not());
        };
        match platform.power.as_deref() {
            Some("running") => {
                let agent = if platform.agent.is_empty() { "?" } else { &platform.agent };
                let text = self.lang.pick("running, agent", "実行中、エージェント");
                (HopState::Ok, format!("{text} {agent}"))
            }
            Some(power) => (HopState::Failed, format!("{}: {power}", platform.vm)),
            None => self.unknown(None),
        }
    }

    fn firewall(&self) -> Seen {
        let firewall = &self.facts.firewall;
        let port = self.facts.target.guest_port;
        if self.passed(Stage::Tcp) == HopState::Ok {
            let text = self.lang.pick("lets TCP through to port", "TCP を通す: ポート");
            return (HopState::Ok, format!("{text} {port}"));
        }
        let accepts = Known::Is(FirewallVerdict::Accept);
        let blockers = [&firewall.blockers, &firewall.reply_blockers];
        match blockers.into_iter().filter_map(Known::known).flatten().next() {
            Some(blocker) => (HopState::Failed, blocker.text.clone()),
            None if firewall.verdict == accepts && firewall.reply == accepts => {
                let text =
                    self.lang.pick("accepts TCP to port", "TCP を許可する: ポート");
                (HopState::Ok, format!("{text} {port}"))
            }
            None => {
                let why = firewall.verdict.why_not();
                self.unknown(why.or_else(|| firewall.reply.why_not()))
            }
        }
    }

    fn tcp(&self) -> Seen {
        let state = self.passed(Stage::Tcp);
        let Some(tcp) = &self.facts.tcp else {
            return match state {
                HopState::Failed => (state, self.last_words()),
                HopState::Unknown => self.unknown(self.case.tcp.why_not()),
                _ => (state, String::new()),
            };
        };
        let place = format!("{}:{}", tcp.address, tcp.port);
        match state {
            HopState::Skipped => (state, String::new()),
            HopState::Failed => {
                let why = tcp
                    .error
                    .clone()
                    .or_else(|| self.observed.map(|observed| observed.to_string()));
                (state, format!("{place}: {}", why.unwrap_or_default()))
            }
            _ => {
                let text = self.lang.pick("connected in", "接続");
                (state, format!("{place} {text} {} ms", tcp.millis))
            }
        }
    }

    fn sshd(&self) -> Seen {
        let banner = self.facts.greeting.as_ref().and_then(|said| said.banner.clone());
        match self.passed(Stage::Banner) {
            HopState::Ok => return (HopState::Ok, banner.unwrap_or_default()),
            HopState::Failed => {
                let said = self.facts.greeting.as_ref();
                let said = said.and_then(|said| said.before_banner.first().cloned());
                return (HopState::Failed, said.unwrap_or_else(|| self.last_words()));
            }
            _ => {}
        }
        let sshd = &self.facts.sshd;
        let port = self.facts.target.guest_port;
        if let Some(why) = sshd.listens.why_not() {
            let skipped = self.passed(Stage::Banner) == HopState::Skipped;
            let state = if skipped { HopState::Skipped } else { HopState::Unknown };
            return (state, why.to_owned());
        }
        if sshd.listens.holds() {
            let text = self.lang.pick("listens on port", "待ち受けポート");
            return (HopState::Ok, format!("{text} {port}"));
        }
        if let Some(line) = sshd.bad_lines.known().and_then(|lines| lines.first()) {
            return (
                HopState::Failed,
                format!("{}:{}: {}", line.file, line.line, line.text),
            );
        }
        if sshd.running.holds() {
            let open = sshd.open_ports.known().into_iter().flatten();
            let ports: Vec<String> = open.map(i64::to_string).collect();
            let text = self.lang.pick(
                format!(
                    "runs, but does not listen on port {port} ({})",
                    ports.join(", ")
                ),
                format!(
                    "動作中だがポート {port} で待ち受けていない ({})",
                    ports.join(", ")
                ),
            );
            return (HopState::Failed, text);
        }
        let unit = sshd.unit.known().and_then(Option::as_ref);
        let text = unit.map(|unit| {
            format!("{}: {} ({})", unit.name, unit.active.as_str(), unit.enabled.as_str())
        });
        (HopState::Failed, text.unwrap_or_else(|| "sshd".to_owned()))
    }

    fn key_exchange(&self) -> Seen {
        // The host key is the last part of the key exchange.
        let state = match (self.passed(Stage::Kex), self.passed(Stage::HostKey)) {
            (HopState::Ok, last) if last != HopState::Skipped => last,
            (first, _) => first,
        };
        match state {
            HopState::Failed => (state, self.last_words()),
            HopState::Ok => {
                let login = self.facts.login.as_ref();
                (
                    state,
                    login.and_then(|login| login.host_key.clone()).unwrap_or_default(),
                )
            }
            _ => (state, String::new()),
        }
    }

    fn authentication(&self) -> Seen {
        match self.passed(Stage::Auth) {
            HopState::Failed => (HopState::Failed, self.last_words()),
            state => (state, String::new()),
        }
    }

    fn session(&self) -> Seen {
        match self.passed(Stage::Session) {
            HopState::Failed => {
                let login = self.facts.login.as_ref();
                let printed = login
                    .and_then(|login| login.stdout.first().cloned())
                    .unwrap_or_default();
                let exit = login.and_then(|login| login.exit);
                let exit = exit.map(|exit| format!("exit {exit}")).unwrap_or_default();
                let words = [printed, self.last_words(), exit];
                let words: Vec<String> =
                    words.into_iter().filter(|word| !word.is_empty()).collect();
                (HopState::Failed, words.join("; "))
            }
            HopState::Ok if self.logged_in() => {
                let text = self.lang.pick("login works", "ログイン可能");
                (HopState::Ok, text.to_owned())
            }
            state => (state, String::new()),
        }
    }

    fn logged_in(&self) -> bool {
        self.case
            .login
            .collected()
            .is_some_and(|login| login.stage == LoginStage::LoggedIn)
    }
}
