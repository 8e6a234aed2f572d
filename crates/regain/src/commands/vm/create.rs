//! `vm create`

use std::env;

use serde_json::{Map, Value};

use crate::args::vm::{Authentication, Create, NsgRule, PublicIpSku};
use crate::context::Context;
use crate::failure::Failure;
use crate::output::{Answer, Progress};
use crate::provision::{self, Network, NewVm};
use crate::{lab, public_key};

pub(super) async fn run(args: Create, context: &Context) -> Result<Answer, Failure> {
    let way = authentication(&args)?;
    let keys = if way == Authentication::Password { Vec::new() } else { keys(&args)? };
    let password = args.admin_password.as_deref().filter(|_| way != Authentication::Ssh);
    let user = match &args.admin_username {
        Some(user) => user.clone(),
        None => env::var("USER").ok().filter(|user| user != "root").ok_or_else(|| {
            Failure::usage("whose login the VM is for is not known")
                .next("add --admin-username")
        })?,
    };
    let identities = match args.assign_identity {
        Some(identities) if identities.is_empty() => vec!["[system]".to_owned()],
        identities => identities.unwrap_or_default(),
    };
    let session = context.sign_in().await?;
    let new = NewVm {
        group: &args.group,
        name: &args.name,
        location: args.location.as_deref(),
        image: &args.image,
        size: &args.size,
        user: &user,
        keys: &keys,
        password,
        network: Network {
            vnet: args.vnet_name.as_deref(),
            vnet_prefix: &args.vnet_address_prefix,
            subnet: args.subnet.as_deref(),
            subnet_prefix: &args.subnet_address_prefix,
            nsg: args.nsg.as_deref(),
            allow_ssh: args.nsg_rule == NsgRule::Ssh,
            public_address: args.public_ip_address.as_deref(),
            public_sku: match args.public_ip_sku {
                PublicIpSku::Basic => "Basic",
                PublicIpSku::Standard => "Standard",
            },
            dns_label: args.public_ip_address_dns_name.as_deref(),
            private_address: args.private_ip_address.as_deref(),
            nics: &args.nics,
        },
        tags: args.tags.map(),
        computer_name: args.computer_name.as_deref(),
        identities: &identities,
    };
    if args.validate {
        return Ok(Answer::new(provision::validate(&session, &new).await?));
    }
    let progress = Progress::start();
    let said = |what: &str| progress.step(&format!("{}: {what}", args.name));
    let summary = provision::create(&session, &new, !args.no_wait, &said).await?;
    Ok(Answer::new(summary).with_columns(columns))
}

/// az's columns, in its order.
fn columns(summary: &Value) -> Value {
    let mut row = Map::new();
    for key in [
        "resourceGroup",
        "powerState",
        "publicIpAddress",
        "fqdns",
        "privateIpAddress",
        "macAddress",
        "location",
        "zones",
    ] {
        row.insert(key.to_owned(), summary[key].clone());
    }
    Value::Object(row)
}

/// As az decides: what was said, else by what was given.
fn authentication(args: &Create) -> Result<Authentication, Failure> {
    let way = args.authentication_type.unwrap_or(match &args.admin_password {
        None => Authentication::Ssh,
        Some(_) if args.ssh_key_values.is_empty() && !args.generate_ssh_keys => {
            Authentication::Password
        }
        Some(_) => Authentication::All,
    });
    if way != Authentication::Ssh && args.admin_password.is_none() {
        return Err(
            Failure::usage("a login by password needs one").next("add --admin-password")
        );
    }
    Ok(way)
}

fn keys(args: &Create) -> Result<Vec<String>, Failure> {
    if !args.ssh_key_values.is_empty() {
        return args.ssh_key_values.iter().map(|value| public_key::read(value)).collect();
    }
    match public_key::own() {
        Ok(key) => Ok(vec![key]),
        Err(_) if args.generate_ssh_keys => {
            let path = public_key::ssh_dir()?.join("id_rsa");
            lab::key::make(&path, lab::key::Kind::Rsa)?;
            Ok(vec![public_key::own()?])
        }
        Err(failure) => Err(failure.next("add --ssh-key-values or --generate-ssh-keys")),
    }
}
