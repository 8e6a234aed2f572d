//! The tricks. A user plants as the user; what only root can make is a state that a
//! user could have come to by a mistake of root's.

/// Who plants.
pub(crate) enum Planter {
    User,
    Root,
}

/// One way to lead root's hand.
pub(crate) struct Trick {
    pub(crate) name: &'static str,
    pub(crate) by: Planter,
    /// A line for a shell.
    pub(crate) plant: &'static str,
    /// Paths outside the home that the repair of this very fault changes.
    pub(crate) may: &'static [&'static str],
    /// Whether it goes on while it is being repaired.
    pub(crate) races: bool,
}

const fn user(name: &'static str, plant: &'static str) -> Trick {
    Trick { name, by: Planter::User, plant, may: &[], races: false }
}

const fn root(name: &'static str, plant: &'static str) -> Trick {
    Trick { name, by: Planter::Root, plant, may: &[], races: false }
}

/// Both halves of a race that is as fast as the kernel: two names change places in one
/// system call (renameat2, RENAME_EXCHANGE), for half a minute or until it is ended.
macro_rules! race {
    ($name:literal, $make:literal, $one:literal, $other:literal) => {
        Trick {
            name: $name,
            by: Planter::User,
            plant: concat!(
                "cd && ", $make, " && cat >race.pl <<'END'\n",
                "my ($one, $other) = ('", $one, "', '", $other, "');\n",
                "my $end = time + 30;\n",
                "while (time < $end) { syscall(316, -100, $one, -100, $other, 2) for 1..500 }\n",
                "END\n",
                "setsid nohup perl race.pl >/dev/null 2>&1 </dev/null & echo $! >race.pid"
            ),
            may: &[],
            races: true,
        }
    };
}

/// `~/.ssh/authorized_keys` is not what it seems.
pub(crate) const KEY_FILES: &[Trick] = &[
    user("a link to shadow", "ln -sf /etc/shadow .ssh/authorized_keys"),
    user("a relative link", "ln -sf ../../../etc/shadow .ssh/authorized_keys"),
    user("a link to a secret", "ln -sf /root/kept/secret .ssh/authorized_keys"),
    user("a link to nothing", "ln -sf /etc/ld.so.preload .ssh/authorized_keys"),
    user("a chain of links", "ln -s /etc/shadow a; ln -sf ../a .ssh/authorized_keys"),
    user("a link to itself", "ln -sf authorized_keys .ssh/authorized_keys"),
    user("a link to a device", "ln -sf /dev/zero .ssh/authorized_keys"),
    user("a link into proc", "ln -sf /proc/self/environ .ssh/authorized_keys"),
    user("a pipe", "rm .ssh/authorized_keys; mkfifo .ssh/authorized_keys"),
    user("a directory", "rm .ssh/authorized_keys; mkdir -p .ssh/authorized_keys/x"),
    // Larger ones have sshd itself eat all memory: it reads a line of any length.
    user("a huge file", "truncate -s 200M .ssh/authorized_keys"),
    user(
        "names that a careless tool would write to",
        "rm .ssh/authorized_keys; for i in $(seq 4000); do echo .regain.$i; \
         echo authorized_keys.$i; echo .authorized_keys.$i; done >n; \
         for d in . .ssh; do (cd $d; xargs -n 1 ln -s /etc/evil <~/n); \
         for n in .regain authorized_keys.tmp authorized_keys.new authorized_keys~ \
         .authorized_keys.swp; do ln -s /etc/evil $d/$n; done; done",
    ),
    root(
        "a hard link to shadow",
        "ln -f /etc/shadow /home/azureuser/.ssh/authorized_keys",
    ),
    root(
        "a hard link to passwd",
        "ln -f /etc/passwd /home/azureuser/.ssh/authorized_keys",
    ),
    root(
        "a device",
        "cd /home/azureuser/.ssh && rm authorized_keys && mknod authorized_keys c 1 5 && \
         chown azureuser: authorized_keys",
    ),
    root(
        "a file under a mount",
        "mount --bind /etc/shadow /home/azureuser/.ssh/authorized_keys",
    ),
    root(
        "a file that cannot be changed",
        "cd /home/azureuser/.ssh && : >authorized_keys && (chattr +i authorized_keys || :)",
    ),
    Trick {
        may: &["/etc/ssh/sshd_config"],
        ..root(
            "a key file of another name that leads to sudoers",
            "echo 'AuthorizedKeysFile .ssh/keys' >/etc/ssh/sshd_config.d/1.conf && \
             ln -s /etc/sudoers /home/azureuser/.ssh/keys && systemctl reload ssh",
        )
    },
    Trick {
        may: &["/etc/ssh/sshd_config"],
        ..root(
            "sshd reads sudoers for keys",
            "echo 'AuthorizedKeysFile /etc/sudoers' >/etc/ssh/sshd_config.d/1.conf && \
             systemctl reload ssh",
        )
    },
];

/// The way to the key file is not what it seems.
pub(crate) const HOMES: &[Trick] = &[
    user("cron.d for .ssh", "rm -rf .ssh; ln -s /etc/cron.d .ssh"),
    user("root's own .ssh", "rm -rf .ssh; ln -s /root/kept .ssh"),
    user("a link to nothing for .ssh", "rm -rf .ssh; ln -s /etc/evil .ssh"),
    user("a pipe for .ssh", "rm -rf .ssh; mkfifo .ssh"),
    user("a file for .ssh", "rm -rf .ssh; : >.ssh"),
    root(
        "etc under .ssh",
        "rm -rf /home/azureuser/.ssh/*; mount --bind /etc /home/azureuser/.ssh",
    ),
    root(
        "a home that is a link to cron.d",
        "rm -rf /home/azureuser && ln -s /etc/cron.d /home/azureuser",
    ),
    root(
        "a home that is a link to nothing",
        "rm -rf /home/azureuser && ln -s /etc/evil /home/azureuser",
    ),
    root(
        "a home in a directory of everybody's",
        "mkdir -m 1777 /tmp/h && ln -s /etc/evil /tmp/h/azureuser && \
         sed -i 's#/home/azureuser#/tmp/h/azureuser#' /etc/passwd",
    ),
    root("the root for a home", "sed -i 's#:/home/azureuser:#:/:#' /etc/passwd"),
    root("etc for a home", "sed -i 's#:/home/azureuser:#:/etc:#' /etc/passwd"),
    root(
        "a home through the user's own link",
        "install -d -o azureuser /srv/u && ln -s /etc /srv/u/h && \
         sed -i 's#:/home/azureuser:#:/srv/u/h/ssh:#' /etc/passwd",
    ),
];

/// Modes and owners that a repair changes, behind links.
pub(crate) const RIGHTS: &[Trick] = &[
    user(
        "tmp is not the user's",
        "cp .ssh/authorized_keys /tmp/keys; ln -sf /tmp/keys .ssh/authorized_keys",
    ),
    user(
        "a directory of everybody's for .ssh",
        "mkdir /tmp/h && cp .ssh/authorized_keys /tmp/h; rm -r .ssh; ln -s /tmp/h .ssh; chmod 777 /tmp/h",
    ),
    user(
        "an open home and a link",
        "ln -sf /etc/shadow .ssh/authorized_keys; chmod 777 .",
    ),
    user("an open .ssh that is a link", "mv .ssh s; chmod 777 s; ln -s s .ssh"),
    user("an open key file", "chmod 666 .ssh/authorized_keys"),
    root(
        "a hard link of root's that nobody may read",
        "cd /home/azureuser/.ssh && ln -f /root/kept/secret authorized_keys",
    ),
    root(
        "a key file of root's",
        "chown 0:0 /home/azureuser/.ssh/authorized_keys; chmod 600 /home/azureuser/.ssh/authorized_keys",
    ),
    root(
        "a foreign .ssh with a link",
        "cd /home/azureuser && ln -sf /etc/shadow .ssh/authorized_keys && chown 1999:1999 .ssh",
    ),
    root(
        "a foreign home with a link",
        "cd /home/azureuser && rm -r .ssh && ln -s /etc/cron.d .ssh && chown 1999:1999 .",
    ),
    user(
        "an option that excludes everybody, behind a link",
        "sed -i 's/^/from=\"192.0.2.9\" /' .ssh/authorized_keys; mv .ssh/authorized_keys k; \
         ln -s ../k .ssh/authorized_keys",
    ),
];

/// The user's own loop, as fast as the kernel.
pub(crate) const RACES: &[Trick] = &[
    race!(
        "a key file that is a link every other moment",
        "ln -s /etc/shadow swap && : >.ssh/authorized_keys",
        ".ssh/authorized_keys",
        "swap"
    ),
    race!(
        "a key file that is there every other moment",
        "ln -s /etc/evil swap && : >.ssh/authorized_keys",
        ".ssh/authorized_keys",
        "swap"
    ),
    race!(
        "a .ssh that is cron.d every other moment",
        "ln -s /etc/cron.d swap && rm -f .ssh/authorized_keys",
        ".ssh",
        "swap"
    ),
    race!(
        "an open .ssh that is etc every other moment",
        "ln -s /etc swap && chmod 777 .ssh",
        ".ssh",
        "swap"
    ),
    race!(
        "a key with an option in a file that is sudoers every other moment",
        "ln -s /etc/sudoers swap && sed -i 's/^/from=\"192.0.2.9\" /' .ssh/authorized_keys",
        ".ssh/authorized_keys",
        "swap"
    ),
];
