//! The shapes of lines that firmware, boot loader, kernel and systemd print.

/// Words of the kernel's command line that stay; others may carry a secret.
const PARAMETERS: [&str; 13] = [
    "BOOT_IMAGE=",
    "root=",
    "rootflags=",
    "rootfstype=",
    "ro",
    "rw",
    "quiet",
    "console=",
    "init=",
    "single",
    "emergency",
    "rescue",
    "systemd.unit=",
];

/// Beginnings of lines.
const BEGINNINGS: [&str; 46] = [
    "SeaBIOS (version",
    "BdsDxe: ",
    "UEFI: ",
    "UEFI firmware",
    "EFI stub: ",
    "iPXE ",
    "Booting ",
    "Loading Linux",
    "Loading initial ramdisk",
    "GNU GRUB",
    "Welcome to ",
    "error: ",
    "Minimal BASH-like line editing",
    "Entering rescue mode",
    "Linux version ",
    "You are in emergency mode",
    "You are in rescue mode",
    "Entering emergency mode",
    "Give root password for maintenance",
    "Press Enter for maintenance",
    "(or press Control-D to continue)",
    "Cannot open access to console",
    "Gave up waiting for",
    "ALERT!",
    "Generating \"/run/initramfs",
    "BusyBox v",
    "Begin: ",
    "dracut",
    "Warning: ",
    "fsck",
    "/dev/",
    "UUID=",
    "Kernel panic",
    "VFS: ",
    "---[ ",
    "Call Trace:",
    "Timed out waiting for device",
    "Dependency failed for",
    "Failed to start",
    "Failed to mount",
    "A start job is running for",
    "Reached target",
    "systemd",
    "Starting ",
    "Started ",
    "Common problems:",
];

/// Prompts: what stands behind them was typed.
const PROMPTS: [&str; 5] =
    ["grub rescue>", "grub>", "(initramfs)", "dracut:/#", "emergency:/#"];

/// Programs beside the kernel that speak through its log.
const SPEAKERS: [&str; 3] = ["systemd", "dracut", "kernel"];

/// The lines of a log that have such a shape.
pub(super) fn keep(log: &str) -> String {
    let lines = log.lines().filter_map(|line| told(line.trim_end()));
    lines.flat_map(|line| [line, "\n".to_owned()]).collect()
}

fn told(line: &str) -> Option<String> {
    let text = line.trim_start();
    if let Some(prompt) = PROMPTS.iter().find(|prompt| text.starts_with(**prompt)) {
        return Some((*prompt).to_owned());
    }
    // `vm1 login: `
    if let Some((name, _)) = text.split_once(" login:") {
        return (!name.contains(char::is_whitespace)).then(|| format!("{name} login:"));
    }
    match bracketed(text) {
        Some((_, message)) => of_kernel(message).then(|| without_parameters(line)),
        None if is_status(text) => Some(line.to_owned()),
        None => BEGINNINGS
            .iter()
            .any(|beginning| text.starts_with(beginning))
            .then(|| without_parameters(line)),
    }
}

/// The kernel's time and its message: `[   12.345678] message`.
fn bracketed(text: &str) -> Option<(&str, &str)> {
    let (time, message) = text.strip_prefix('[')?.split_once(']')?;
    let digits =
        |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let (seconds, fraction) = time.trim_start().split_once('.')?;
    (digits(seconds) && digits(fraction)).then_some((time, message.trim_start()))
}

/// `[  OK  ]`, `[FAILED]`, `[ TIME ]`, `[*     ]`: systemd's column of seven.
fn is_status(text: &str) -> bool {
    let column = text.strip_prefix('[').and_then(|rest| rest.get(..7));
    column.is_some_and(|column| {
        let (word, end) = column.split_at(6);
        end == "]" && word.bytes().all(|b| b.is_ascii_uppercase() || b" *".contains(&b))
    })
}

/// Not a message of another program, `name[12]: ...`.
fn of_kernel(message: &str) -> bool {
    let speaker = message.split_once(": ").map_or(message, |(speaker, _)| speaker);
    let named = speaker
        .split_once('[')
        .filter(|(name, id)| !name.contains(' ') && id.ends_with(']'))
        .filter(|(_, id)| id[..id.len() - 1].bytes().all(|b| b.is_ascii_digit()));
    match named {
        Some((name, _)) => SPEAKERS.iter().any(|speaker| name.starts_with(speaker)),
        None => !speaker.starts_with("cloud-init") && !speaker.starts_with("ci-info"),
    }
}

/// A line without the parameters of a command line that nobody knows.
fn without_parameters(line: &str) -> String {
    let Some((before, parameters)) = line.split_once("ommand line: ") else {
        return line.to_owned();
    };
    let known = |word: &&str| {
        PARAMETERS.iter().any(|one| match one.strip_suffix('=') {
            Some(name) => word.split_once('=').is_some_and(|(key, _)| key == name),
            None => word == one,
        })
    };
    let kept: Vec<&str> = parameters.split_ascii_whitespace().filter(known).collect();
    format!("{before}ommand line: {}", kept.join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kernel_systemd_and_boot_loader_are_kept() {
        let log = "SeaBIOS (version 1.16)\n[    0.000000] Linux version 6.1\n\
                   [    1.500000] EXT4-fs (sda1): mounted\n[   10.0] systemd[1]: Started x.\n\
                   [  OK  ] Started ssh.service.\n[FAILED] Failed to start y.\n[*     ] z\n\
                   You are in emergency mode.\nGave up waiting for root file system device.\n\
                   Welcome to Debian GNU/Linux 12 (bookworm)!\nVFS: Unable to mount root fs\n";
        assert_eq!(keep(log), log);
    }

    #[test]
    fn what_other_programs_print_and_what_people_type_is_not() {
        let log = "password: hunter2\n[   12.3] cloud-init[500]: hunter2\n\
                   ci-info: hunter2\nvm1 login: hunter2\ngrub> set superuser hunter2\n\
                   [x] hunter2\n-----BEGIN OPENSSH PRIVATE KEY-----\nhunter2\n";
        assert_eq!(keep(log), "vm1 login:\ngrub>\n");
    }

    #[test]
    fn of_the_kernel_s_command_line_only_known_words_stay() {
        let line = "[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=UUID=1 ro token=hunter2 quiet\n";
        let kept =
            "[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=UUID=1 ro quiet\n";
        assert_eq!(keep(line), kept);
    }
}
