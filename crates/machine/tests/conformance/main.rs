//! What every engine does, said once and run on each of them.
#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../lab/mod.rs"]
mod lab;
mod nspawn_only;

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use lab::{Lab, PATIENCE, attachment, id};
use machine::{
    End, Engine, Error, ExecOutput, Fake, MachineSpec, Nspawn, Power, SeedFile, Stop,
    image,
};

/// Makes an engine on a state directory, as a server does when it starts.
type Open = fn(&Path) -> Box<dyn Engine>;

fn fake(state: &Path) -> Box<dyn Engine> {
    Box::new(Fake::new(state, &["debian12"]).unwrap())
}

fn nspawn(state: &Path) -> Box<dyn Engine> {
    let image =
        image::ensure("debian12", Path::new("/var/cache/regain"), &|_| {}).unwrap();
    let images = BTreeMap::from([("debian12".to_owned(), vec![image])]);
    let keeper = PathBuf::from(env!("CARGO_BIN_EXE_machine-keeper"));
    Box::new(Nspawn::new(state, images, &keeper).unwrap())
}

/// Runs each sentence on each engine.
macro_rules! engines {
    ($($sentence:ident)*) => {
        mod on_fake { $(#[test] fn $sentence() { super::$sentence(super::fake); })* }
        mod on_nspawn { $(#[test] fn $sentence() { super::$sentence(super::nspawn); })* }
    };
}

engines! {
    a_new_machine_is_stopped_and_listed_without_its_files
    a_started_machine_runs_commands
    a_machine_speaks_on_its_console
    a_stopped_machine_keeps_its_log_and_starts_again
    starting_and_stopping_twice_is_once
    only_a_stopped_machine_can_leave_its_host
    a_deleted_machine_is_gone_and_its_id_is_free
    what_cannot_be_is_named
    a_new_server_finds_what_runs
    machines_start_side_by_side
}

fn spec(name: &str, last: u8) -> MachineSpec {
    MachineSpec {
        id: id(name),
        name: format!("lab/{name}"),
        hostname: name.to_owned(),
        image: "debian12".to_owned(),
        network: attachment("vnet", last),
        files: vec![SeedFile {
            path: "/var/lib/regain/provision.json".into(),
            mode: 0o600,
            contents: b"a secret".to_vec(),
        }],
    }
}

fn argv(words: &[&str]) -> Vec<String> {
    words.iter().map(|&word| word.to_owned()).collect()
}

fn exec(engine: &dyn Engine, name: &str, words: &[&str]) -> ExecOutput {
    engine.exec(&id(name), &argv(words), b"", PATIENCE).unwrap()
}

/// What the command printed, which must have succeeded.
fn told(engine: &dyn Engine, name: &str, words: &[&str]) -> String {
    let output = exec(engine, name, words);
    assert_eq!(
        output.status,
        0,
        "{words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

fn console_log(engine: &dyn Engine, name: &str) -> String {
    String::from_utf8_lossy(&engine.console_log(&id(name)).unwrap()).into_owned()
}

/// Asks again until it is so; panics if it never is.
fn eventually(what: &str, mut so: impl FnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !so() {
        assert!(Instant::now() < deadline, "{what}: not within {PATIENCE:?}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn up(engine: &dyn Engine, name: &str, last: u8) {
    engine.create(&spec(name, last)).unwrap();
    engine.start(&id(name)).unwrap();
}

fn a_new_machine_is_stopped_and_listed_without_its_files(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    engine.create(&spec("vm1", 4)).unwrap();
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Stopped);
    assert_eq!(engine.list().unwrap(), [MachineSpec { files: vec![], ..spec("vm1", 4) }]);
    assert_eq!(console_log(&*engine, "vm1"), "");
    for entry in fs::read_dir(lab.path("machines/vm1")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap_or_default();
        assert!(!text.contains("a secret"), "{}", path.display());
    }
}

fn a_started_machine_runs_commands(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    up(&*engine, "vm1", 4);
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Running);
    assert_eq!(exec(&*engine, "vm1", &["true"]).status, 0);
    assert_eq!(exec(&*engine, "vm1", &["false"]).status, 1);
    assert_eq!(
        told(&*engine, "vm1", &["echo", "two  words", "$HOME"]),
        "two  words $HOME"
    );
    let said =
        engine.exec(&id("vm1"), &argv(&["cat"]), b"from outside", PATIENCE).unwrap();
    assert_eq!(said.stdout, b"from outside");
    let unknown = exec(&*engine, "vm1", &["no-such-command"]);
    assert!(unknown.status == 127 && !unknown.stderr.is_empty(), "{unknown:?}");
}

fn a_machine_speaks_on_its_console(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    up(&*engine, "vm1", 4);
    eventually("a prompt in the log", || {
        console_log(&*engine, "vm1").contains("vm1 login: ")
    });
    let mut first = engine.console(&id("vm1")).unwrap();
    let second = engine.console(&id("vm1")).unwrap();
    first.set_read_timeout(Some(PATIENCE)).unwrap();
    first.write_all(b"nobody\r").unwrap();
    let mut heard = Vec::new();
    let mut buffer = [0; 1024];
    while !String::from_utf8_lossy(&heard).contains("nobody") {
        let length = first.read(&mut buffer).unwrap();
        assert_ne!(length, 0, "the line was cut after {heard:?}");
        heard.extend_from_slice(&buffer[..length]);
    }
    drop(second);
}

fn a_stopped_machine_keeps_its_log_and_starts_again(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    up(&*engine, "vm1", 4);
    for how in [Stop::Graceful, Stop::Hard] {
        eventually("a prompt", || console_log(&*engine, "vm1").ends_with("vm1 login: "));
        engine.stop(&id("vm1"), how).unwrap();
        assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Stopped);
        assert!(console_log(&*engine, "vm1").contains("vm1 login: "));
        let after = engine.exec(&id("vm1"), &argv(&["true"]), b"", PATIENCE).unwrap_err();
        assert!(matches!(after, Error::NotRunning(_)), "{after}");
        assert!(matches!(engine.console(&id("vm1")), Err(Error::NotRunning(_))));
        engine.start(&id("vm1")).unwrap();
        assert_eq!(exec(&*engine, "vm1", &["true"]).status, 0);
    }
}

fn starting_and_stopping_twice_is_once(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    engine.create(&spec("vm1", 4)).unwrap();
    engine.stop(&id("vm1"), Stop::Graceful).unwrap();
    engine.start(&id("vm1")).unwrap();
    engine.start(&id("vm1")).unwrap();
    engine.stop(&id("vm1"), Stop::Graceful).unwrap();
    engine.stop(&id("vm1"), Stop::Hard).unwrap();
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Stopped);
}

fn only_a_stopped_machine_can_leave_its_host(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    up(&*engine, "vm1", 4);
    let elsewhere = attachment("vnet", 9);
    let running = engine.relocate(&id("vm1"), &elsewhere).unwrap_err();
    assert!(matches!(running, Error::Running(_)), "{running}");
    assert_eq!(engine.ended(&id("vm1")).unwrap(), None);
    engine.stop(&id("vm1"), Stop::Graceful).unwrap();
    assert_eq!(engine.ended(&id("vm1")).unwrap(), Some(End::PoweredOff));
    engine.relocate(&id("vm1"), &elsewhere).unwrap();
    engine.relocate(&id("vm1"), &elsewhere).unwrap();
    assert_eq!(engine.list().unwrap()[0].network, elsewhere);
    engine.start(&id("vm1")).unwrap();
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Running);
}

fn a_deleted_machine_is_gone_and_its_id_is_free(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    up(&*engine, "vm1", 4);
    engine.delete(&id("vm1")).unwrap();
    assert!(matches!(engine.power(&id("vm1")), Err(Error::NotFound(_))));
    assert!(matches!(engine.delete(&id("vm1")), Err(Error::NotFound(_))));
    assert_eq!(engine.list().unwrap(), []);
    assert_eq!(fs::read_dir(lab.path("machines")).unwrap().count(), 0);
    up(&*engine, "vm1", 4);
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Running);
}

fn what_cannot_be_is_named(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    let plan9 = MachineSpec { image: "plan9".to_owned(), ..spec("vm1", 4) };
    assert!(
        matches!(engine.create(&plan9), Err(Error::UnknownImage(image)) if image == "plan9")
    );
    let mut relative = spec("vm1", 4);
    relative.files[0].path = "etc/passwd".into();
    assert!(matches!(engine.create(&relative), Err(Error::SeedPath(_))));
    assert_eq!(engine.list().unwrap(), []);

    engine.create(&spec("vm1", 4)).unwrap();
    assert!(matches!(engine.create(&spec("vm1", 4)), Err(Error::Exists(_))));
    assert!(matches!(engine.start(&id("vm2")), Err(Error::NotFound(_))));
    assert!(matches!(engine.stop(&id("vm2"), Stop::Hard), Err(Error::NotFound(_))));
    assert!(matches!(engine.console_log(&id("vm2")), Err(Error::NotFound(_))));
    assert!(matches!(
        engine.exec(&id("vm2"), &argv(&["true"]), b"", PATIENCE),
        Err(Error::NotFound(_))
    ));
}

fn a_new_server_finds_what_runs(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    up(&*engine, "vm1", 4);
    engine.create(&spec("vm2", 5)).unwrap();
    drop(engine);

    let engine = open(lab.state());
    let ids: Vec<_> = engine.list().unwrap().into_iter().map(|spec| spec.id).collect();
    assert_eq!(ids, [id("vm1"), id("vm2")]);
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Running);
    assert_eq!(engine.power(&id("vm2")).unwrap(), Power::Stopped);
    assert_eq!(told(&*engine, "vm1", &["hostname"]), "vm1");
    engine.stop(&id("vm1"), Stop::Graceful).unwrap();
    assert_eq!(engine.power(&id("vm1")).unwrap(), Power::Stopped);
}

fn machines_start_side_by_side(open: Open) {
    let lab = Lab::new();
    let engine = open(lab.state());
    let names = ["vm1", "vm2", "vm3"];
    std::thread::scope(|scope| {
        for (name, last) in names.into_iter().zip(4..) {
            let engine = &engine;
            scope.spawn(move || up(&**engine, name, last));
        }
    });
    for name in names {
        assert_eq!(told(&*engine, name, &["hostname"]), name);
    }
}
