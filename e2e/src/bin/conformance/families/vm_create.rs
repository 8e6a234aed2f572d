//! A VM is made in every way that the issue names, and its owner gets in.

use e2e::Client;
use serde_json::json;

use crate::case::{BOTH, Family, World, fails, run};
use crate::check::Check::*;

pub(crate) fn family() -> Family {
    Family::new(
        "vm create",
        BOTH,
        World::Group,
        vec![
            run("vm create -g {g} -n {vm} --image Debian12 --admin-username azureuser \
                 --ssh-key-values {pub} --tags owner=me")
            .keep("ip", "/publicIpAddress")
            .then(Is("/powerState", json!("VM running")))
            .then(Is("/privateIpAddress", json!("10.0.0.4")))
            .then(Is("/resourceGroup", json!("{g}")))
            .then(Soon(Box::new(Login("azureuser"))))
            .then(Guest("test $(hostname) = {vm}"))
            .then(Guest("sudo -n -u azureuser sudo -n true")),
            run("vm show -g {g} -n {vm}").then(Is("/tags/owner", json!("me"))),
            run("vm create -g {g} -n pw --image Debian12 --admin-username boss \
                 --admin-password Correct-Horse-77 --authentication-type password")
            .keep("ip", "/publicIpAddress")
            .then(Soon(Box::new(Password("boss", "Correct-Horse-77"))))
            .then(NoPassword("boss", "Wrong-Horse-77")),
            run("vm create -g {g} -n both --image Debian12 --admin-username boss \
                 --admin-password Correct-Horse-77 --ssh-key-values {pub} \
                 --authentication-type all")
            .keep("ip", "/publicIpAddress")
            .then(Soon(Box::new(Login("boss"))))
            .then(Password("boss", "Correct-Horse-77")),
            run("vm create -g {g} -n never --image Debian12 --admin-username azureuser \
                 --ssh-key-values {pub} --validate")
            .only(&[Client::Az])
            .then(Is("/properties/provisioningState", json!("Succeeded")))
            .then(Gone("vm show -g {g} -n never")),
            run("vm create -g {g} -n gen --image Debian12 --admin-username azureuser \
                 --generate-ssh-keys")
            .keep("genip", "/publicIpAddress")
            .then(File("{home}/.ssh/id_rsa.pub", "ssh-rsa "))
            .then(Soon(Box::new(LoginAt(
                "azureuser",
                "{genip}",
                "22",
                "{home}/.ssh/id_rsa",
            )))),
            run("vm create -g {g} -n urn --image Debian:debian-12:12:latest \
                 --admin-username azureuser --ssh-key-values {pub} --public-ip-address '' \
                 --nsg ''")
            .then(Is("/publicIpAddress", json!("")))
            .then(GuestOf("urn", "test -d /home/azureuser")),
            run("vm create -g {g} -n later --image Debian12 --admin-username azureuser \
                 --ssh-key-values {pub} --no-wait"),
            run("vm wait -g {g} -n later --created"),
            run("vm image list").then(Says("Debian12")).only(&[Client::Az]),
            fails(2, "vm create -g {g} -n never --image Windows95 --admin-username a1 \
                      --ssh-key-values {pub}")
            .then(Complains("Debian12")),
            fails(2, "vm create -g {g} -n never --image Debian:debian-12:no:latest \
                      --admin-username a1 --ssh-key-values {pub}"),
            fails(1, "vm create -g {g} -n never --image Debian12 --admin-username root \
                      --ssh-key-values {pub}"),
            fails(1, "vm create -g {g} -n never --image Debian12 --admin-username a1 \
                      --admin-password short --authentication-type password"),
            fails(2, "vm create -g {g}-none -n never --image Debian12 --admin-username a1 \
                      --ssh-key-values {pub}")
            .then(Complains("(ResourceGroupNotFound)")),
            run("vm list -g {g} --query [].name").then(ListsNot("", "", "never")),
        ],
    )
}
