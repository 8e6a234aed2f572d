//! What must hold: of what a command said, in the guest, and on the wire.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use e2e::way_in::{self, Knock};
use e2e::{Operator, Ran};
use serde_json::Value;

use crate::words::{Names, fill, split};

/// One thing that must hold. Texts may hold `{names}`.
#[derive(Debug, Clone)]
pub(crate) enum Check {
    /// The exit status.
    Exit(i32),
    /// The client breaks by itself, against Azure too.
    Crashes,
    /// Standard output has this.
    Says(&'static str),
    /// Standard output has not.
    SaysNot(&'static str),
    /// Standard error has this.
    Complains(&'static str),
    /// Nothing is on standard output.
    Silent,
    /// The answer has this value there (a JSON pointer).
    Is(&'static str, Value),
    /// The text there has this in it.
    Has(&'static str, &'static str),
    /// Something other than null is there.
    There(&'static str),
    /// That many are in the list there.
    Count(&'static str, usize),
    /// The list there has an element whose member has this text in it.
    Lists(&'static str, &'static str, &'static str),
    /// The list there has no such element.
    ListsNot(&'static str, &'static str, &'static str),
    /// This shell script succeeds as root in the guest of `{vm}`.
    Guest(&'static str),
    /// The same in the guest of another VM of the group.
    GuestOf(&'static str, &'static str),
    /// That user of the VM `{vm}` gets in with the key `{key}`.
    Login(&'static str),
    /// And gets in at that address and port with that key file.
    LoginAt(&'static str, &'static str, &'static str, &'static str),
    /// That user does not get in with the key `{key}`.
    NoLogin(&'static str),
    /// That user gets in with this password.
    Password(&'static str, &'static str),
    /// That user does not get in with this password.
    NoPassword(&'static str, &'static str),
    /// A connection to that address and port ends so.
    Knock(&'static str, &'static str, Knock),
    /// `regain` as the owner shows this value there.
    Shows(&'static str, &'static str, Value),
    /// `regain` as the owner succeeds: something to be done before.
    Do(&'static str),
    /// `regain` as the owner finds nothing.
    Gone(&'static str),
    /// This file of the operator's has this in it.
    File(&'static str, &'static str),
    /// This file of the operator's is written.
    Write(&'static str, &'static str),
    /// It holds within 20 seconds.
    Soon(Box<Check>),
}

/// What checks look at.
pub(crate) struct Scene<'a> {
    pub(crate) operator: &'a Operator<'a>,
    pub(crate) names: &'a Names,
    /// The command that was run; none before it.
    pub(crate) ran: Option<&'a Ran>,
    /// Whether so far all is as it should be.
    pub(crate) hopeful: bool,
}

impl Check {
    /// Whether it holds, or in words what does not.
    pub(crate) fn holds(&self, scene: &Scene<'_>) -> Result<(), String> {
        match self {
            Self::Exit(_) | Self::Crashes => Ok(()),
            Self::Says(text) => {
                contains("stdout", &scene.ran()?.stdout, &scene.fill(text))
            }
            Self::SaysNot(text) => {
                let text = scene.fill(text);
                must(!scene.ran()?.stdout.contains(&text), || {
                    format!("stdout has '{text}'")
                })
            }
            Self::Complains(text) => {
                contains("stderr", &scene.ran()?.stderr, &scene.fill(text))
            }
            Self::Silent => {
                must(scene.ran()?.stdout.is_empty(), || "stdout is not empty".to_owned())
            }
            Self::Guest(script) => scene.guest("{vm}", script),
            Self::GuestOf(vm, script) => scene.guest(vm, script),
            Self::Login(user) => scene.login(user, "{ip}", "22", "{key}"),
            Self::LoginAt(user, host, port, key) => scene.login(user, host, port, key),
            Self::NoLogin(user) => {
                must(scene.login(user, "{ip}", "22", "{key}").is_err(), || {
                    format!("{user} still gets in with the key")
                })
            }
            Self::Password(user, password) => scene.password(user, password),
            Self::NoPassword(user, password) => {
                must(scene.password(user, password).is_err(), || {
                    format!("{user} gets in with the password {password}")
                })
            }
            Self::Knock(host, port, wanted) => scene.knock(host, port, *wanted),
            Self::Do(line) => scene.regain(line).map(drop),
            Self::Gone(line) => match scene.regain(line) {
                Ok(_) => Err(format!("`regain {}` finds it", scene.fill(line))),
                Err(_) => Ok(()),
            },
            Self::File(path, text) => {
                let path = scene.fill(path);
                let content = std::fs::read_to_string(&path)
                    .map_err(|error| format!("{path}: {error}"))?;
                contains(&path, &content, &scene.fill(text))
            }
            Self::Write(path, text) => std::fs::write(scene.fill(path), scene.fill(text))
                .map_err(|error| format!("{path}: {error}")),
            Self::Soon(check) => {
                // After a command that failed nothing is worth waiting for.
                let patience = if scene.hopeful { 20 } else { 0 };
                let deadline = Instant::now() + Duration::from_secs(patience);
                loop {
                    match check.holds(scene) {
                        Ok(()) => return Ok(()),
                        Err(why) if Instant::now() > deadline => {
                            return Err(format!("within {patience} s: {why}"));
                        }
                        Err(_) => thread::sleep(Duration::from_millis(300)),
                    }
                }
            }
            Self::Shows(line, pointer, wanted) => {
                let said = scene.regain(line)?;
                is(&said, pointer, &scene.fill_value(wanted))
                    .map_err(|why| format!("`regain {}`: {why}", scene.fill(line)))
            }
            _ => self.holds_of(&scene.answer()?, scene),
        }
    }

    /// The checks that look into a JSON answer.
    fn holds_of(&self, answer: &Value, scene: &Scene<'_>) -> Result<(), String> {
        match self {
            Self::Is(pointer, wanted) => is(answer, pointer, &scene.fill_value(wanted)),
            Self::Has(pointer, text) => {
                let found = at(answer, pointer).to_string();
                contains(pointer, &found, &scene.fill(text))
            }
            Self::There(pointer) => must(!at(answer, pointer).is_null(), || {
                format!("nothing is at {pointer}")
            }),
            Self::Count(pointer, wanted) => {
                let found = at(answer, pointer).as_array().map(Vec::len);
                must(found == Some(*wanted), || {
                    format!("{pointer} has {found:?} elements, not {wanted}")
                })
            }
            Self::Lists(pointer, member, text) => {
                let text = scene.fill(text);
                must(lists(at(answer, pointer), member, &text), || {
                    format!("'{pointer}' has no element whose {member} has '{text}'")
                })
            }
            Self::ListsNot(pointer, member, text) => {
                let text = scene.fill(text);
                must(!lists(at(answer, pointer), member, &text), || {
                    format!("'{pointer}' has an element whose {member} has '{text}'")
                })
            }
            other => Err(format!("{other:?} is not about an answer")),
        }
    }
}

impl Scene<'_> {
    fn ran(&self) -> Result<&Ran, String> {
        self.ran.ok_or_else(|| "nothing was run yet".to_owned())
    }

    /// What the command printed, as JSON.
    pub(crate) fn answer(&self) -> Result<Value, String> {
        serde_json::from_str(&self.ran()?.stdout)
            .map_err(|error| format!("stdout is not JSON: {error}"))
    }

    fn fill(&self, text: &str) -> String {
        fill(text, self.names)
    }

    fn fill_value(&self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.fill(text)),
            other => other.clone(),
        }
    }

    fn regain(&self, line: &str) -> Result<Value, String> {
        let words = split(&self.fill(line));
        let mut words: Vec<&str> = words.iter().map(String::as_str).collect();
        words.extend(["-o", "json"]);
        self.operator.look(&words)
    }

    fn guest(&self, vm: &str, script: &str) -> Result<(), String> {
        let vm = self.fill(&format!("{{g}}/{vm}"));
        let script = self.fill(script);
        let line = ["lab", "exec", &vm, "--", "sh", "-c", &script];
        let ran = self.operator.run(e2e::Client::Regain, &line, None);
        must(ran.exit == 0, || {
            format!(
                "in {vm}: `{script}` ends with {}: {}{}",
                ran.exit, ran.stdout, ran.stderr
            )
        })
    }

    fn login(&self, user: &str, host: &str, port: &str, key: &str) -> Result<(), String> {
        let (user, host) = (self.fill(user), self.fill(host));
        let port = self.fill(port).parse().map_err(|_| format!("{port} is no port"))?;
        let key = self.fill(key);
        let ran = way_in::with_key(&user, &host, port, Path::new(&key), "id -un");
        must(ran.exit == 0 && ran.stdout.trim() == user, || {
            format!("ssh {user}@{host}:{port} with {key}: {}", ran.stderr.trim())
        })
    }

    fn password(&self, user: &str, password: &str) -> Result<(), String> {
        let (user, host) = (self.fill(user), self.fill("{ip}"));
        let home = self.operator.home();
        let ran = way_in::with_password(&user, &host, password, home, "id -un");
        must(ran.exit == 0 && ran.stdout.trim() == user, || {
            format!("ssh {user}@{host} with its password: {}", ran.stderr.trim())
        })
    }

    fn knock(&self, host: &str, port: &str, wanted: Knock) -> Result<(), String> {
        let (host, port) = (self.fill(host), self.fill(port));
        let number = port.parse().map_err(|_| format!("{port} is no port"))?;
        let found = way_in::knock(&host, number)?;
        must(found == wanted, || format!("{host}:{port} is {found:?}, not {wanted:?}"))
    }
}

fn must(holds: bool, why: impl FnOnce() -> String) -> Result<(), String> {
    if holds { Ok(()) } else { Err(why()) }
}

fn contains(what: &str, text: &str, wanted: &str) -> Result<(), String> {
    must(text.contains(wanted), || format!("{what} does not have '{wanted}'"))
}

fn at<'v>(value: &'v Value, pointer: &str) -> &'v Value {
    value.pointer(pointer).unwrap_or(&Value::Null)
}

fn is(answer: &Value, pointer: &str, wanted: &Value) -> Result<(), String> {
    let found = at(answer, pointer);
    must(found == wanted, || format!("{pointer} is {found}, not {wanted}"))
}

fn lists(list: &Value, member: &str, text: &str) -> bool {
    list.as_array().into_iter().flatten().any(|element| {
        let value = if member.is_empty() { element } else { at(element, member) };
        match value {
            Value::String(value) => value.contains(text),
            other => other.to_string().contains(text),
        }
    })
}
