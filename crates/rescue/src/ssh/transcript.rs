//! What `ssh -v` says, read: how far the login came, and in whose words it ended.
//!
//! ssh's debug lines are stable enough to tell the stages apart, and its final
//! sentence is not: "Connection closed by" can come at four different stages. So the
//! stage is taken from the last milestone that the debug lines passed.

use doctor::case::LoginStage;

/// What one run of `ssh -v` said on standard error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Transcript {
    /// Where it ended; `Session` when the user was let in.
    pub(crate) stage: LoginStage,
    /// ssh's and the server's own words, without debug lines and routine remarks.
    pub(crate) words: Vec<String>,
    /// Methods that the server would still take, from its last answer.
    pub(crate) methods: Vec<String>,
    /// Fingerprints of the keys that were offered.
    pub(crate) offered: Vec<String>,
    /// The server took a key.
    pub(crate) key_accepted: bool,
    /// The server's host key: `type fingerprint`.
    pub(crate) host_key: Option<String>,
}

/// What ssh says with `-v` that is neither a debug line nor about the failure.
const ROUTINE: [&str; 9] = [
    "OpenSSH_",
    "Authenticated to ",
    "Transferred: ",
    "Bytes per second: ",
    // About this program's own temporary known hosts file.
    "Warning: Permanently added ",
    "Pseudo-terminal will not be allocated",
    "Warning: No xauth data",
    "Failed to add the host to the list of known hosts",
    "Killed by signal",
];

/// ssh's words for a host key that the client does not accept.
const HOST_KEY_WORDS: [&str; 3] = [
    "Host key verification failed",
    "REMOTE HOST IDENTIFICATION HAS CHANGED",
    "host key is revoked",
];

/// Reads what ssh wrote.
pub(crate) fn read(stderr: &str) -> Transcript {
    let mut transcript = Transcript {
        stage: LoginStage::Connect,
        words: Vec::new(),
        methods: Vec::new(),
        offered: Vec::new(),
        key_accepted: false,
        host_key: None,
    };
    for line in stderr.lines().map(str::trim_end) {
        match line.split_once(": ") {
            Some(("debug1" | "debug2" | "debug3", text)) => transcript.debug(text),
            _ => transcript.word(line),
        }
    }
    transcript
}

impl Transcript {
    fn reached(&mut self, stage: LoginStage) {
        self.stage = self.stage.max(stage);
    }

    fn debug(&mut self, text: &str) {
        if text.starts_with("Connection established") {
            self.reached(LoginStage::Banner);
        } else if text.starts_with("Remote protocol version") {
            self.reached(LoginStage::KeyExchange);
        } else if let Some(key) = text.strip_prefix("Server host key: ") {
            self.host_key = Some(key.to_owned());
        } else if text.starts_with("SSH2_MSG_NEWKEYS received") {
            self.reached(LoginStage::Authentication);
        } else if let Some(list) =
            text.strip_prefix("Authentications that can continue: ")
        {
            self.reached(LoginStage::Authentication);
            self.methods = list.split(',').map(str::to_owned).collect();
        } else if text.starts_with("Offering public key: ") {
            let fingerprint = text
                .split(' ')
                .find(|word| word.starts_with("SHA256:") || word.starts_with("MD5:"));
            self.offered.extend(fingerprint.map(str::to_owned));
        } else if text.starts_with("Server accepts key: ") {
            self.key_accepted = true;
        }
    }

    fn word(&mut self, line: &str) {
        if line.starts_with("Authenticated to ") {
            self.reached(LoginStage::Session);
            self.key_accepted |= line.contains("publickey");
        } else if line.contains("Could not resolve hostname") {
            self.stage = LoginStage::Name;
        } else if self.stage < LoginStage::Authentication
            && HOST_KEY_WORDS.iter().any(|words| line.contains(words))
        {
            self.reached(LoginStage::HostKey);
        }
        let routine = ROUTINE.iter().any(|start| line.starts_with(start));
        if !line.is_empty() && !routine {
            self.words.push(line.to_owned());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_jump_hosts_name_that_fails_is_a_name_that_fails() {
        let transcript = read(
            "ssh: Could not resolve hostname vm.invalid: Name or service not known\r\n",
        );
        assert_eq!(transcript.stage, LoginStage::Name);
        assert_eq!(
            transcript.words,
            ["ssh: Could not resolve hostname vm.invalid: Name or service not known"]
        );
    }

    #[test]
    fn text_of_the_server_is_kept_and_routine_is_not() {
        let transcript = read(
            "OpenSSH_9.2p1 Debian, OpenSSL 3\n\
             debug1: Connection established.\n\
             debug1: Remote protocol version 2.0, remote software version X\n\
             Warning: Permanently added 'h' (ED25519) to the list of known hosts.\n\
             debug1: SSH2_MSG_NEWKEYS received\n\
             System is going down.\r\n\
             Connection closed by 10.9.0.4 port 22\n",
        );
        assert_eq!(transcript.stage, LoginStage::Authentication);
        assert_eq!(
            transcript.words,
            ["System is going down.", "Connection closed by 10.9.0.4 port 22"]
        );
    }

    #[test]
    fn a_session_that_prints_about_host_keys_is_still_a_session() {
        let transcript = read(
            "debug1: SSH2_MSG_NEWKEYS received\n\
             Authenticated to h ([127.0.0.1]:22) using \"publickey\".\n\
             Host key verification failed.\n",
        );
        assert_eq!(transcript.stage, LoginStage::Session);
        assert!(transcript.key_accepted);
    }
}
