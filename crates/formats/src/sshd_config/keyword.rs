//! The keywords of `sshd_config` (servconf.c of OpenSSH 9.2 with Debian's additions,
//! and those that versions up to 10 added): where each may stand, how its lines add
//! up, and what it takes.
//!
//! What a keyword takes is judged as far as the text alone tells. Names of
//! algorithms, of services and of hosts depend on the sshd that reads them.

/// One keyword.
#[derive(Debug, Clone, Copy)]
pub(super) struct Keyword {
    /// The name under which `sshd -T` shows it, in lower case.
    pub(super) name: &'static str,
    /// Whether it may stand in a `Match` block.
    pub(super) in_match: bool,
    /// Whether its lines add up, rather than the first one winning.
    pub(super) adds_up: bool,
    pub(super) takes: Takes,
}

/// What stands behind a keyword.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Takes {
    /// `yes` or `no`.
    Flag,
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A port number.
    Port,
    /// A number.
    Number,
    /// A time: seconds, or numbers with units.
    Time,
    /// An address with or without a port.
    Listen,
    /// Patterns for users, perhaps with hosts.
    Users,
    /// Words.
    Words,
    /// One word.
    Word,
    /// Lists of authentication methods.
    Methods,
    /// The path of a program and its arguments, or `none`.
    Command,
    /// Something that only sshd itself can judge.
    Anything,
    /// Whatever it is, sshd only says that it is deprecated.
    Ignored,
    Include,
    Match,
}

const LOGIN: &[&str] =
    &["yes", "no", "without-password", "prohibit-password", "forced-commands-only"];
const FORWARDING: &[&str] = &["yes", "no", "all", "local", "remote"];

/// Name, whether it may stand in a `Match` block, what it takes.
#[rustfmt::skip]
const KEYWORDS: &[(&str, bool, Takes)] = &[
    ("acceptenv", true, Takes::Words),
    ("addressfamily", false, Takes::OneOf(&["any", "inet", "inet6"])),
    ("allowagentforwarding", true, Takes::Flag),
    ("allowgroups", true, Takes::Words),
    ("allowstreamlocalforwarding", true, Takes::OneOf(FORWARDING)),
    ("allowtcpforwarding", true, Takes::OneOf(FORWARDING)),
    ("allowusers", true, Takes::Users),
    ("authenticationmethods", true, Takes::Methods),
    ("authorizedkeyscommand", true, Takes::Command),
    ("authorizedkeyscommanduser", true, Takes::Word),
    ("authorizedkeysfile", true, Takes::Words),
    ("authorizedprincipalscommand", true, Takes::Command),
    ("authorizedprincipalscommanduser", true, Takes::Word),
    ("authorizedprincipalsfile", true, Takes::Word),
    ("banner", true, Takes::Word),
    ("casignaturealgorithms", true, Takes::Anything),
    ("channeltimeout", true, Takes::Anything),
    ("chrootdirectory", true, Takes::Word),
    ("ciphers", false, Takes::Anything),
    ("clientalivecountmax", true, Takes::Number),
    ("clientaliveinterval", true, Takes::Time),
    ("compression", false, Takes::OneOf(&["yes", "no", "delayed"])),
    ("debianbanner", false, Takes::Flag),
    ("denygroups", true, Takes::Words),
    ("denyusers", true, Takes::Users),
    ("disableforwarding", true, Takes::Flag),
    ("exposeauthinfo", true, Takes::Flag),
    ("fingerprinthash", false, Takes::Anything),
    ("forcecommand", true, Takes::Anything),
    ("gatewayports", true, Takes::OneOf(&["yes", "no", "clientspecified"])),
    ("gssapiauthentication", true, Takes::Flag),
    ("gssapicleanupcredentials", false, Takes::Flag),
    ("gssapikeyexchange", false, Takes::Flag),
    ("gssapikexalgorithms", false, Takes::Anything),
    ("gssapistorecredentialsonrekey", false, Takes::Flag),
    ("gssapistrictacceptorcheck", false, Takes::Flag),
    ("hostbasedacceptedalgorithms", true, Takes::Anything),
    ("hostbasedauthentication", true, Takes::Flag),
    ("hostbasedusesnamefrompacketonly", true, Takes::Flag),
    ("hostcertificate", false, Takes::Word),
    ("hostkey", false, Takes::Word),
    ("hostkeyagent", false, Takes::Word),
    ("hostkeyalgorithms", false, Takes::Anything),
    ("ignorerhosts", true, Takes::OneOf(&["yes", "no", "shosts-only"])),
    ("ignoreuserknownhosts", false, Takes::Flag),
    ("include", true, Takes::Include),
    ("ipqos", true, Takes::Anything),
    ("kbdinteractiveauthentication", true, Takes::Flag),
    ("kerberosauthentication", true, Takes::Flag),
    ("kerberosgetafstoken", false, Takes::Ignored),
    ("kerberosorlocalpasswd", false, Takes::Flag),
    ("kerberosticketcleanup", false, Takes::Flag),
    ("kexalgorithms", false, Takes::Anything),
    ("keyregenerationinterval", false, Takes::Ignored),
    ("listenaddress", false, Takes::Listen),
    ("logingracetime", false, Takes::Time),
    ("loglevel", true, Takes::Anything),
    ("logverbose", true, Takes::Words),
    ("macs", false, Takes::Anything),
    ("match", true, Takes::Match),
    ("maxauthtries", true, Takes::Number),
    ("maxsessions", true, Takes::Number),
    ("maxstartups", false, Takes::Anything),
    ("modulifile", false, Takes::Word),
    ("passwordauthentication", true, Takes::Flag),
    ("permitemptypasswords", true, Takes::Flag),
    ("permitlisten", true, Takes::Anything),
    ("permitopen", true, Takes::Anything),
    ("permitrootlogin", true, Takes::OneOf(LOGIN)),
    ("permittty", true, Takes::Flag),
    ("permittunnel", true, Takes::OneOf(&["yes", "no", "ethernet", "point-to-point"])),
    ("permituserenvironment", false, Takes::Anything),
    ("permituserrc", true, Takes::Flag),
    ("persourcemaxstartups", false, Takes::Anything),
    ("persourcenetblocksize", false, Takes::Anything),
    ("persourcepenalties", false, Takes::Anything),
    ("persourcepenaltyexemptlist", false, Takes::Anything),
    ("pidfile", false, Takes::Word),
    ("port", false, Takes::Port),
    ("printlastlog", false, Takes::Flag),
    ("printmotd", false, Takes::Flag),
    ("protocol", false, Takes::Ignored),
    ("pubkeyacceptedalgorithms", true, Takes::Anything),
    ("pubkeyauthentication", true, Takes::Flag),
    ("pubkeyauthoptions", true, Takes::Anything),
    ("rdomain", true, Takes::Word),
    ("refuseconnection", true, Takes::Flag),
    ("rekeylimit", true, Takes::Anything),
    ("requiredrsasize", true, Takes::Number),
    ("revokedkeys", true, Takes::Word),
    ("rhostsrsaauthentication", true, Takes::Ignored),
    ("rsaauthentication", true, Takes::Ignored),
    ("securitykeyprovider", false, Takes::Word),
    ("serverkeybits", false, Takes::Ignored),
    ("setenv", true, Takes::Anything),
    ("streamlocalbindmask", true, Takes::Anything),
    ("streamlocalbindunlink", true, Takes::Flag),
    ("strictmodes", false, Takes::Flag),
    ("subsystem", false, Takes::Anything),
    ("syslogfacility", false, Takes::Anything),
    ("tcpkeepalive", false, Takes::Flag),
    ("trustedusercakeys", true, Takes::Word),
    ("unusedconnectiontimeout", true, Takes::Anything),
    ("usedns", false, Takes::Flag),
    ("uselogin", false, Takes::Ignored),
    ("usepam", false, Takes::Flag),
    ("useprivilegeseparation", false, Takes::Ignored),
    ("versionaddendum", false, Takes::Anything),
    ("x11displayoffset", true, Takes::Number),
    ("x11forwarding", true, Takes::Flag),
    ("x11uselocalhost", true, Takes::Flag),
    ("xauthlocation", false, Takes::Word),
];

/// Other names, and what they stand for.
const ALIASES: &[(&str, &str)] = &[
    ("challengeresponseauthentication", "kbdinteractiveauthentication"),
    ("dsaauthentication", "pubkeyauthentication"),
    ("hostbasedacceptedkeytypes", "hostbasedacceptedalgorithms"),
    ("hostdsakey", "hostkey"),
    ("keepalive", "tcpkeepalive"),
    ("pubkeyacceptedkeytypes", "pubkeyacceptedalgorithms"),
    ("skeyauthentication", "kbdinteractiveauthentication"),
];

/// Keywords whose lines add up.
const ADD_UP: &[&str] = &[
    "acceptenv",
    "allowgroups",
    "allowusers",
    "denygroups",
    "denyusers",
    "hostcertificate",
    "hostkey",
    "listenaddress",
    "port",
    "subsystem",
];

/// Whether a keyword takes the rest of its line as it stands, `#` and quotes included.
pub(super) fn takes_the_rest(keyword: &str) -> bool {
    matches!(
        keyword,
        "authorizedkeyscommand"
            | "authorizedprincipalscommand"
            | "forcecommand"
            | "versionaddendum"
    )
}

/// The name under which `sshd -T` shows a keyword.
pub(super) fn canonical(keyword: &str) -> &str {
    let alias = ALIASES.iter().find(|(alias, _)| *alias == keyword);
    alias.map_or(keyword, |(_, name)| name)
}

/// A keyword by any of its names, in lower case.
pub(super) fn find(keyword: &str) -> Option<Keyword> {
    let name = canonical(keyword);
    let (name, in_match, takes) = KEYWORDS.iter().find(|(known, ..)| *known == name)?;
    let adds_up = ADD_UP.contains(name);
    Some(Keyword { name, in_match: *in_match, adds_up, takes: *takes })
}
