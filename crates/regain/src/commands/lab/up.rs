//! `lab up`: the cloud in the background, and one VM.
//!
//! ```text
//! programs ─ image ─ claim the state directory ─ server ─ group, key, VM ─ banner ─ weather
//! ```
//!
//! Whatever of it is there already is left as it is. If a step fails or is
//! interrupted, a lab that this run began is removed again; one that was there
//! before stays. The VM is made in clear weather: whoever tries a client in Azure's does
//! not want to wait for the lab itself.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use cloud::Weather;
use serde_json::json;

use super::status;
use crate::api::{self, RESOURCES};
use crate::args::Engine;
use crate::args::lab::Up;
use crate::context::Context;
use crate::failure::Failure;
use crate::lab::{
    LabState, interrupt, key, programs, ready, removal, server, vms, weather,
};
use crate::output::{Answer, Progress};
use crate::provision::{self, Network, NewVm};
use crate::session::Session;

const GROUP: &str = "lab";
const VM: &str = "vm1";
const USER: &str = "azureuser";
const LOCATION: &str = "local";

pub(super) async fn run(args: Up, context: &Context) -> Result<Answer, Failure> {
    let lab = LabState::of(&context.global);
    programs::check(args.engine)?;
    let progress = Arc::new(Progress::start());
    if args.engine == Engine::Nspawn {
        image(&args.cache, &progress).await?;
    }
    let began = lab.settings()?.is_none();
    if began {
        lab.claim(args.engine)?;
    }
    let wanted = args.weather.map_or_else(|| weather::of(&lab), Ok)?;
    let result = interrupt::or(raise(&lab, &args, context, &progress)).await;
    if let Err(failure) = result {
        if began {
            progress.step("that failed: removing the lab");
            removal::remove(&lab).await?;
        } else {
            weather::ensure(&lab, wanted)?;
        }
        return Err(failure);
    }
    weather::ensure(&lab, wanted)?;
    drop(progress);
    status::run(context).await
}

/// The image that every VM starts from; half a minute if it is not cached.
async fn image(cache: &Path, progress: &Arc<Progress>) -> Result<(), Failure> {
    let (cache, shown) = (cache.to_owned(), Arc::clone(progress));
    let build = tokio::task::spawn_blocking(move || {
        machine::image::ensure("debian12", &cache, &|step| {
            shown.step(&format!("image: {step}"));
        })
    });
    // Ctrl-C reaches the builder too, which then cleans up after itself: wait
    // for that.
    let built = interrupt::or_after(build, Duration::from_secs(20)).await?;
    match built {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => {
            Err(Failure::new("the image of the lab's VMs cannot be made").because(error))
        }
        Err(error) => Err(Failure::new("the image builder broke").because(error)),
    }
}

async fn raise(
    lab: &LabState,
    args: &Up,
    context: &Context,
    progress: &Progress,
) -> Result<(), Failure> {
    if lab.server()?.is_none() {
        progress.step("starting the cloud");
        start(lab, args).await?;
    }
    if args.no_vm {
        return Ok(());
    }
    let session = super::sign_in(context).await?;
    let there = vms::list(&session, lab).await?;
    if there.iter().any(|vm| vm.group.eq_ignore_ascii_case(GROUP) && vm.name == VM) {
        return Ok(());
    }
    weather::ensure(lab, Weather::CLEAR)?;
    let summary = make_vm(lab, &session, progress).await?;
    if args.engine == Engine::Nspawn
        && let Some(Ok(address)) = summary["publicIpAddress"].as_str().map(str::parse)
    {
        progress.step("waiting for its SSH server");
        ready::banner(SocketAddr::new(address, 22)).await?;
    }
    Ok(())
}

/// Where the server was before it was killed, if it was and if that is free.
async fn start(lab: &LabState, args: &Up) -> Result<(), Failure> {
    let on = |listen| server::Options { engine: args.engine, listen, cache: &args.cache };
    if args.listen.port() == 0
        && let Some(last) = lab.last_address()?
        && server::start(lab, on(last)).await.is_ok()
    {
        return Ok(());
    }
    server::start(lab, on(args.listen)).await.map(drop)
}

async fn make_vm(
    lab: &LabState,
    session: &Session,
    progress: &Progress,
) -> Result<serde_json::Value, Failure> {
    let group = api::path(&session.group(GROUP)?, RESOURCES);
    session.client.put(&group, &json!({ "location": LOCATION })).await?;
    let private = vms::key_path(lab, GROUP, VM);
    if !private.is_file() {
        key::make(&private, key::Kind::Ed25519)?;
    }
    let keys = [key::public_half(&private)?];
    let new = NewVm {
        group: GROUP,
        name: VM,
        location: None,
        image: "Debian12",
        size: "Standard_DS1_v2",
        user: USER,
        keys: &keys,
        password: None,
        network: Network::default(),
        tags: serde_json::Map::new(),
        computer_name: None,
        identities: &[],
    };
    let said = |what: &str| progress.step(&format!("{VM}: {what}"));
    provision::create(session, &new, true, &said).await
}
