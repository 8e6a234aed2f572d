//! A VM without a cloud, on which somebody else still gets in: collected, repaired and
//! undone through that login.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use std::fs;
use std::sync::Arc;

use doctor::case::{LoginStage, Section};
use doctor::{Catalogue, Lang, Risk};
use rescue::{
    Consent, Journal, Login, Policy, Request, Status, Through, collect, repair, undo,
};
use support::sshd::{Sshd, keygen};
use support::{Forget, me, request};

/// An sshd that lets in `admin`'s key and not `key`, and a request that knows both.
fn lab() -> (Sshd, Request) {
    let mut sshd = Sshd::prepare("");
    let admin = sshd.path("admin");
    keygen(&admin);
    fs::copy(admin.with_extension("pub"), sshd.path("authorized_keys")).unwrap();
    // Scripts keep their records below a root of the test's own.
    let root = format!("SetEnv REGAIN_ROOT={}\n", sshd.path("root").display());
    let config = sshd.path("sshd_config");
    fs::write(&config, root + &fs::read_to_string(&config).unwrap()).unwrap();
    sshd.run();
    fs::write(sshd.path("known_hosts"), sshd.known_hosts_line(&sshd.path("hostkey")))
        .unwrap();
    let mut request = request(sshd.home.path(), sshd.port);
    let login = Login {
        user: Some(me()),
        host: "127.0.0.1".to_owned(),
        port: Some(sshd.port),
        identity: Some(admin),
        known_hosts: Some(sshd.path("known_hosts")),
    };
    let connect_timeout = request.connect_timeout;
    request.channel = Some(Through { login, connect_timeout }.channel());
    (sshd, request)
}

#[tokio::test]
async fn the_guest_answers_through_another_login() {
    let (_sshd, request) = lab();
    let case = collect(&request, &|_| {}).await;
    assert_eq!(case.login.collected().unwrap().stage, LoginStage::Authentication);
    assert!(matches!(case.platform, Section::NotTried(_)));
    let guest = case.system.collected().unwrap_or_else(|| panic!("{:?}", case.system));
    assert_eq!(guest.channel, "ssh");
    assert_eq!(case.account.collected().unwrap().user, me());
}

#[tokio::test]
async fn a_login_is_repaired_and_undone_without_any_cloud() {
    let (sshd, request) = lab();
    let _forget = Forget(sshd.port);
    // The other administrator's key stays; the user's goes where the guest's scripts
    // can put it.
    let key = fs::read_to_string(sshd.path("key.pub")).unwrap();
    fs::create_dir_all(sshd.path("root")).unwrap();
    let keys = sshd.path("root/authorized_keys");
    fs::write(&keys, "# locked\n").unwrap();
    let before = fs::read_to_string(&keys).unwrap();
    let fault = format!(
        "id = 'auth.test'\nlayer = 'auth'\nproduces = ['denied']\nwhen = 'true'\n\
         basis = 'said'\nevidence = [\"'seen'\"]\nreferences = ['none']\n\
         not_injected = 'it belongs to a test'\n\
         title = {{ en = 'T', ja = 'T' }}\nexplanation = {{ en = 'E', ja = 'E' }}\n\
         [[repair]]\nid = 'add'\nrisk = 'edit'\ntitle = {{ en = 'S', ja = 'S' }}\n\
         edits = [{{ verb = 'insert-after', insertions = \'\'\'[{{'file': \
         '/authorized_keys', 'line': 1, 'text': '# locked', 'new': '{}'}}]\'\'\' }}]\n",
        key.trim_end()
    );
    let state = "[[state]]\nid = 'denied'\nshows = ['auth.denied']\n\
                 title = { en = 'S', ja = 'S' }\n";
    let files = [("states.toml", state), ("auth.test.toml", fault.as_str())];
    let files = files.map(|(name, text)| (name.to_owned(), text.to_owned()));
    let catalogue = Catalogue::parse(files.into_iter()).unwrap();
    let policy = Policy {
        allow: Risk::Edit,
        consent: Consent::None,
        dry_run: false,
        lang: Lang::En,
    };
    let outcome = repair(&request, &catalogue, &policy, &|_| {}).await;
    assert_eq!(outcome.status, Status::Repaired, "{outcome:#?}");

    // An undo by another process finds the login in the journal.
    let id = outcome.undo_id.unwrap();
    let login = Journal::load(&id).unwrap().through.unwrap();
    let connect_timeout = request.connect_timeout;
    let later = Request {
        channel: Some(Arc::new(Through { login, connect_timeout })),
        ..request.clone()
    };
    let undone = undo(&later, &id).await.unwrap();
    assert_eq!(undone.restored, ["/authorized_keys"]);
    assert_eq!(fs::read_to_string(&keys).unwrap(), before);
}

#[tokio::test]
async fn a_login_that_does_not_work_either_says_why() {
    let (sshd, request) = lab();
    fs::write(sshd.path("authorized_keys"), "").unwrap();
    let case = collect(&request, &|_| {}).await;
    let Section::Failed(why) = &case.sshd else { panic!("{:?}", case.sshd) };
    assert!(
        why.starts_with("ssh failed: ") && why.contains("Permission denied"),
        "{why}"
    );
}
