//! What machines boot from: a distribution's image and, over it, the layer with our
//! agent.
//!
//! Both lie in the cache, under names that change with their content. The engine is
//! given fixed names in the state directory that point there: the image's is set
//! once, because the disks of a lab's machines are differences to it; the layer's
//! follows the agent's binary.

use std::collections::BTreeMap;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::digest;

use super::image;
use crate::app::Problem;

/// The two layers of every image.
#[derive(Clone)]
pub(crate) struct GuestImages {
    /// None where machines are only pretended.
    places: Option<Arc<Places>>,
}

struct Places {
    cache: PathBuf,
    /// Where the fixed names are.
    names: PathBuf,
    binary: PathBuf,
    /// One preparation at a time.
    turn: Mutex<()>,
}

impl GuestImages {
    /// Images that nobody boots.
    pub(crate) fn pretended() -> Self {
        Self { places: None }
    }

    /// Images in `cache` with the agent's `binary`, for the lab in `state`.
    pub(crate) fn new(state: &Path, cache: &Path, binary: &Path) -> Self {
        Self {
            places: Some(Arc::new(Places {
                cache: cache.to_owned(),
                names: state.join("images"),
                binary: binary.to_owned(),
                turn: Mutex::default(),
            })),
        }
    }

    /// For each image's name its layers, topmost first.
    pub(crate) fn layers(&self) -> BTreeMap<String, Vec<PathBuf>> {
        let Some(places) = &self.places else { return BTreeMap::new() };
        image::names()
            .into_iter()
            .map(|name| {
                (
                    name.to_owned(),
                    vec![places.names.join("guest"), places.names.join(name)],
                )
            })
            .collect()
    }

    /// Makes sure that an image can be booted. The first time takes a while.
    pub(super) async fn prepare(&self, name: &str) -> Result<(), Problem> {
        let Some(places) = self.places.clone() else { return Ok(()) };
        let name = name.to_owned();
        let prepared = tokio::task::spawn_blocking(move || {
            let _turn = places.turn.lock().unwrap_or_else(PoisonError::into_inner);
            places.base(&name)?;
            places.guest_layer()
        });
        prepared.await.map_err(|error| Problem::Internal {
            doing: "prepare the image",
            why: error.to_string(),
        })?
    }
}

impl Places {
    /// The distribution's image.
    fn base(&self, name: &str) -> Result<(), Problem> {
        let link = self.names.join(name);
        if link.is_dir() {
            return Ok(());
        }
        let image = machine::image::ensure(name, &self.cache, &|step| {
            tracing::info!(image = name, step, "making the image");
        })
        .map_err(|error| Problem::Machine {
            doing: "make the image",
            source: error.into(),
        })?;
        self.point(&link, &image)
    }

    /// The layer with the agent, made once for each binary.
    fn guest_layer(&self) -> Result<(), Problem> {
        let failed = |doing| {
            move |source: io::Error| Problem::Machine { doing, source: source.into() }
        };
        let binary = fs::read(&self.binary).map_err(|source| Problem::Machine {
            doing: "read the guest agent's binary; build regain-guest, or say where it is",
            source: format!("{}: {source}", self.binary.display()).into(),
        })?;
        let hash: String = digest::digest(&digest::SHA256, &binary).as_ref()[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        let layers = self.cache.join("guest");
        let layer = layers.join(&hash);
        if !layer.is_dir() {
            fs::create_dir_all(&layers).map_err(failed("make the guest layer"))?;
            let site = layers.join(format!(".making-{hash}-{}", std::process::id()));
            let made = Command::new(&self.binary)
                .arg("layer")
                .arg(&site)
                .output()
                .map_err(failed("run the guest agent's binary"))?;
            if !made.status.success() {
                let said = String::from_utf8_lossy(&made.stderr).trim().to_owned();
                return Err(Problem::Machine {
                    doing: "make the guest layer",
                    source: said.into(),
                });
            }
            match fs::rename(&site, &layer) {
                // Another lab on this host was faster.
                Err(_) if layer.is_dir() => {
                    fs::remove_dir_all(&site)
                        .map_err(failed("remove a second guest layer"))?;
                }
                other => other.map_err(failed("make the guest layer"))?,
            }
        }
        self.point(&self.names.join("guest"), &layer)
    }

    /// Makes the name `link` stand for `target`, at no moment for nothing.
    fn point(&self, link: &Path, target: &Path) -> Result<(), Problem> {
        if fs::read_link(link).is_ok_and(|old| old == target) {
            return Ok(());
        }
        let fresh = link.with_extension("new");
        let point = || {
            fs::create_dir_all(&self.names)?;
            match fs::remove_file(&fresh) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(error);
                }
                _ => {}
            }
            std::os::unix::fs::symlink(target, &fresh)?;
            fs::rename(&fresh, link)
        };
        point().map_err(|source: io::Error| Problem::Machine {
            doing: "name the image",
            source: source.into(),
        })
    }
}
