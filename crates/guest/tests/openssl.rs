//! What we encrypt, openssl decrypts, and the other way round; what OpenSSH exports, we
//! read. Microsoft's agent does all of this with these programs.

use std::path::Path;
use std::process::Command;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use guest::envelope::{self, Cipher, Identity, pfx};
use guest::wire::Certificates;
use guest::{password, ssh_key};

const SECRET: &[u8] = br#"{"username":"ann","password":"correct horse"}"#;

/// Runs a program in `dir` and gives what it printed.
fn run(dir: &Path, command: &str) -> Vec<u8> {
    let done = Command::new("sh").arg("-ec").arg(command).current_dir(dir).output();
    let done = done.expect("sh");
    let error = String::from_utf8_lossy(&done.stderr);
    assert!(done.status.success(), "{command}: {error}");
    done.stdout
}

/// A directory with `cert.pem` and `key.pem`, and the same as an identity.
fn identity() -> (tempfile::TempDir, Identity) {
    let dir = tempfile::tempdir().expect("tempdir");
    let identity = Identity::generate("tenant").expect("key");
    write(dir.path(), "cert.pem", identity.certificate_pem().expect("pem").as_bytes());
    write(dir.path(), "key.pem", identity.key_pem().expect("pem").as_bytes());
    (dir, identity)
}

fn write(dir: &Path, name: &str, content: &[u8]) {
    std::fs::write(dir.join(name), content).expect("write");
}

fn read(dir: &Path, name: &str) -> Vec<u8> {
    std::fs::read(dir.join(name)).expect("read")
}

#[test]
fn openssl_decrypts_our_messages() {
    let (dir, identity) = identity();
    let certificate = identity.certificate_der().expect("der");
    for cipher in [Cipher::Aes128Cbc, Cipher::DesEde3Cbc] {
        let message = envelope::encrypt(SECRET, &certificate, cipher).expect("encrypts");
        write(dir.path(), "message", &message);
        let command =
            "openssl cms -decrypt -inform DER -in message -recip cert.pem -inkey key.pem";
        assert_eq!(run(dir.path(), command), SECRET, "{cipher:?}");
    }
}

#[test]
fn we_decrypt_messages_of_openssl() {
    let (dir, ours) = identity();
    let theirs = tempfile::tempdir().expect("tempdir");
    run(
        theirs.path(),
        "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout key.pem -out cert.pem",
    );
    let text = |name| String::from_utf8(read(theirs.path(), name)).expect("pem");
    let identity = Identity::from_pem(&text("cert.pem"), &text("key.pem")).expect("pem");
    // Only openssl's own certificates have a subject key identifier to be named by.
    for (dir, identity, naming) in [
        (dir.path(), &ours, ""),
        (theirs.path(), &identity, ""),
        (theirs.path(), &identity, "-keyid"),
    ] {
        write(dir, "plain", SECRET);
        for cipher in ["-aes128", "-des3", "-aes192", "-aes256"] {
            let command = format!(
                "openssl cms -encrypt {cipher} {naming} -binary -in plain -outform DER \
                 -out message cert.pem"
            );
            run(dir, &command);
            let plain = envelope::decrypt(&read(dir, "message"), identity);
            assert_eq!(plain.expect("decrypts"), SECRET, "{cipher} {naming}");
        }
    }
}

fn pem(identity: &Identity) -> (String, String) {
    (identity.certificate_pem().expect("pem"), identity.key_pem().expect("pem"))
}

#[test]
fn openssl_unpacks_our_certificates_document() {
    let (dir, transport) = identity();
    let tenant = Identity::generate("tenant").expect("key");
    let file = pfx::encode(&tenant).expect("pfx");
    for cipher in [Cipher::Aes128Cbc, Cipher::DesEde3Cbc] {
        let recipient = transport.certificate_der().expect("der");
        let data = envelope::encrypt(&file, &recipient, cipher).expect("encrypts");
        let document =
            Certificates { incarnation: "1".into(), data: Some(data) }.to_xml();
        // As Microsoft's agent does: the text of Data under a MIME header.
        let start = document.find("<Data>").expect("has data") + "<Data>".len();
        let end = document.find("</Data>").expect("has data");
        let mime = format!(
            "MIME-Version:1.0\nContent-Disposition: attachment; filename=\"c.p7m\"\n\
             Content-Type: application/x-pkcs7-mime; name=\"c.p7m\"\n\
             Content-Transfer-Encoding: base64\n\n{}",
            &document[start..end]
        );
        write(dir.path(), "c.p7m", mime.as_bytes());
        for check in ["", "-nomacver"] {
            let command = format!(
                "openssl cms -decrypt -in c.p7m -inkey key.pem -recip cert.pem \
                 | openssl pkcs12 -nodes -password pass: {check}"
            );
            let bundle = String::from_utf8(run(dir.path(), &command)).expect("text");
            let certificate = tenant.certificate_pem().expect("pem");
            assert!(bundle.contains(certificate.trim()), "{bundle}");
            assert!(bundle.contains("BEGIN PRIVATE KEY"), "{bundle}");
        }
    }
}

#[test]
fn we_read_pkcs12_files_of_openssl() {
    let (dir, identity) = identity();
    for options in [
        "",
        "-keypbe PBE-SHA1-3DES -certpbe PBE-SHA1-3DES -macalg sha1",
        "-keypbe NONE -certpbe NONE",
        "-nomac",
        "-keypbe AES-128-CBC -certpbe AES-128-CBC",
    ] {
        run(
            dir.path(),
            &format!(
                "openssl pkcs12 -export -passout pass: {options} -in cert.pem -inkey key.pem -out file.pfx"
            ),
        );
        let found = pfx::decode(&read(dir.path(), "file.pfx")).expect(options);
        assert_eq!(found.len(), 1, "{options}");
        assert_eq!(pem(&found[0]), pem(&identity), "{options}");
    }
    run(
        dir.path(),
        "openssl pkcs12 -export -passout pass:x -in cert.pem -inkey key.pem -out file.pfx",
    );
    assert!(pfx::decode(&read(dir.path(), "file.pfx")).is_err(), "a password is needed");
}

#[test]
fn the_thumbprint_is_openssls_fingerprint() {
    let (dir, identity) = identity();
    let printed = run(dir.path(), "openssl x509 -in cert.pem -noout -fingerprint -sha1");
    let printed = String::from_utf8(printed).expect("text").replace(':', "");
    assert!(printed.contains(&identity.thumbprint().expect("der")), "{printed}");
    // The header of the certificates request has the body on one line.
    let header = STANDARD.encode(identity.certificate_der().expect("der"));
    let der = envelope::certificate_from_pem(&header).expect("header");
    assert_eq!(Some(der), identity.certificate_der().ok());
}

#[test]
fn password_hashes_are_those_of_openssl() {
    let hash = password::hash("correct horse");
    let (setting, _) = hash.rsplit_once('$').expect("has fields");
    let salt = setting.strip_prefix("$6$").expect("is SHA-512");
    let command = format!("openssl passwd -6 -salt '{salt}' 'correct horse'");
    let printed = run(Path::new("/"), &command);
    assert_eq!(String::from_utf8(printed).expect("text").trim(), hash);
}

#[test]
fn every_form_of_a_key_becomes_the_same_line() {
    let dir = tempfile::tempdir().expect("tempdir");
    for kind in ["rsa -b 2048", "ecdsa -b 256", "ecdsa -b 384", "ecdsa -b 521", "ed25519"]
    {
        run(
            dir.path(),
            &format!("rm -f k k.pub; ssh-keygen -q -t {kind} -N '' -C me -f k"),
        );
        let line = String::from_utf8(read(dir.path(), "k.pub")).expect("text");
        let key = ssh_key::parse(&line).expect(kind).remove(0);
        assert_eq!(key.to_string(), line.trim());
        let private = String::from_utf8(read(dir.path(), "k")).expect("text");
        assert_eq!(ssh_key::parse(&private), Err(ssh_key::KeyError::Private));
        let mut forms = vec!["RFC4716"];
        // OpenSSH does not export Ed25519 keys as PEM.
        if kind != "ed25519" {
            forms.push("PKCS8");
        }
        if kind.starts_with("rsa") {
            forms.push("PEM");
        }
        for form in forms {
            let exported = run(dir.path(), &format!("ssh-keygen -e -m {form} -f k.pub"));
            let exported = String::from_utf8(exported).expect("text");
            let read = ssh_key::parse(&exported)
                .unwrap_or_else(|e| panic!("{kind} {form}: {e}"));
            assert!(read[0].same_key(&key), "{kind} {form}");
        }
    }
}

#[test]
fn certificates_give_their_public_key() {
    let dir = tempfile::tempdir().expect("tempdir");
    for kind in ["rsa:2048", "ec -pkeyopt ec_paramgen_curve:P-256", "ed25519"] {
        run(
            dir.path(),
            &format!(
                "openssl req -x509 -newkey {kind} -nodes -subj /CN=me -keyout k -out cert"
            ),
        );
        let certificate = String::from_utf8(read(dir.path(), "cert")).expect("text");
        let key = ssh_key::parse(&certificate).expect(kind).remove(0);
        let bare: String = certificate.lines().filter(|l| !l.starts_with('-')).collect();
        assert!(ssh_key::parse(&bare).expect("bare body")[0].same_key(&key), "{kind}");
        if kind != "ed25519" {
            let command =
                "openssl x509 -in cert -noout -pubkey > p; ssh-keygen -i -m PKCS8 -f p";
            let line = String::from_utf8(run(dir.path(), command)).expect("text");
            assert!(ssh_key::parse(&line).expect("line")[0].same_key(&key), "{kind}");
        }
    }
}
