//! SSH as another user: whoever still gets in, for whoever does not.
//!
//! A VM without a cloud has no agent to ask, but often another administrator. The
//! system's ssh logs in there with that administrator's own configuration, keys and
//! known hosts; `sudo -n` makes the shell root's, or nothing does if the login is
//! root's own. The script goes through standard input, so that no value of it stands
//! in an argument. The channel carries everything and is as fast as a login; it needs
//! the very server that may be broken, so it is for what is wrong with one account.

use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use crate::boxed::BoxFuture;
use crate::channel::{Channel, ChannelError, Login, Nature, Need};
use crate::ssh::program;

/// The channel's name.
const NAME: &str = "ssh";

/// How long a login usually takes.
const USUAL: Duration = Duration::from_millis(500);

/// How long it may take to get there and back besides.
const OVERHEAD: Duration = Duration::from_secs(40);

/// The largest output that is read, bytes: more than the frame takes.
const OUTPUT: u64 = 16 * 1024 * 1024;

/// How much of what ssh itself says is kept, bytes.
const WORDS: u64 = 16 * 1024;

/// What the remote login shell runs, whichever shell that is: a POSIX shell of root's
/// that reads its commands from standard input.
const SHELL: &str = r#"exec sh -c '[ "$(id -u)" -eq 0 ] && exec sh; exec sudo -n -- sh'"#;

/// A login at the guest that works, of root or of somebody who may become root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Through {
    /// The login.
    pub login: Login,
    /// How long the connect may take.
    pub connect_timeout: Duration,
}

impl Through {
    /// The login as a channel.
    pub fn channel(self) -> Arc<dyn Channel> {
        Arc::new(self)
    }

    fn arguments(&self) -> Vec<String> {
        let seconds = self.connect_timeout.as_secs().max(1);
        let mut arguments = vec!["-T".to_owned(), "-x".to_owned(), "-a".to_owned()];
        let mut option = |text: String| arguments.extend(["-o".to_owned(), text]);
        option("BatchMode=yes".to_owned());
        option("ClearAllForwardings=yes".to_owned());
        option("PermitLocalCommand=no".to_owned());
        option("RemoteCommand=none".to_owned());
        option(format!("ConnectTimeout={seconds}"));
        if let Some(file) = &self.login.known_hosts {
            option(format!("UserKnownHostsFile={}", file.display()));
        }
        if let Some(user) = &self.login.user {
            arguments.extend(["-l".to_owned(), user.clone()]);
        }
        if let Some(port) = self.login.port {
            arguments.extend(["-p".to_owned(), port.to_string()]);
        }
        if let Some(key) = &self.login.identity {
            arguments.extend(["-i".to_owned(), key.display().to_string()]);
        }
        arguments.extend(["--".to_owned(), self.login.host.clone(), SHELL.to_owned()]);
        arguments
    }

    async fn run(&self, text: &str) -> Result<String, ChannelError> {
        let failed = |source| ChannelError::Carrier { channel: "ssh", source };
        let mut child = program("ssh")
            .args(self.arguments())
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|error| failed(error.into()))?;
        let (stdin, out, err) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take());
        let write = async {
            if let Some(mut stdin) = stdin {
                // A shell that is not there reads nothing; its words say why.
                let _ = stdin.write_all(text.as_bytes()).await;
            }
        };
        let ((), stdout, stderr) =
            tokio::join!(write, drain(out, OUTPUT), drain(err, WORDS));
        let status = child.wait().await.map_err(|error| failed(error.into()))?;
        if status.success() {
            return Ok(String::from_utf8_lossy(&stdout).into_owned());
        }
        let words = String::from_utf8_lossy(&stderr);
        let words = match (words.trim(), status.code()) {
            ("", Some(code)) => format!("it ended with status {code}"),
            ("", None) => "it was killed".to_owned(),
            (words, _) => words.lines().collect::<Vec<_>>().join("; "),
        };
        Err(failed(words.into()))
    }
}

/// Everything that comes, of which the beginning is kept: a remote side that prints
/// without end must not be able to block itself and us.
async fn drain(pipe: Option<impl AsyncRead + Unpin>, limit: u64) -> Vec<u8> {
    let mut kept = Vec::new();
    if let Some(mut pipe) = pipe {
        // What was read before an error is what there is.
        let _ = (&mut pipe).take(limit).read_to_end(&mut kept).await;
        let _ = tokio::io::copy(&mut pipe, &mut tokio::io::sink()).await;
    }
    kept
}

impl Channel for Through {
    fn nature(&self) -> Nature {
        Nature { name: NAME, output: OUTPUT, needs: Need::Sshd, usual: USUAL }
    }

    fn login(&self) -> Option<&Login> {
        Some(&self.login)
    }

    fn call<'a>(
        &'a self,
        text: &'a str,
        time: Duration,
    ) -> BoxFuture<'a, Result<String, ChannelError>> {
        Box::pin(async move {
            let longest = time + OVERHEAD;
            let silent = ChannelError::Silent {
                channel: NAME,
                seconds: longest.as_secs(),
                besides: "",
            };
            timeout(longest, self.run(text)).await.unwrap_or(Err(silent))
        })
    }
}
