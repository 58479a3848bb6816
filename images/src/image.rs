//! From a bundle, packages and programs to a disk image. Parts that do not depend on the bundle come from the store
//! when all their inputs are the same as before.

use std::cell::OnceCell;
use std::fs::{self, OpenOptions};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use postkiln_bundle::{Bundle, Role};

use crate::digest::Parts;
use crate::grub::Loader;
use crate::kernel::{Choice, Kernel};
use crate::layout::{Layout, put};
use crate::tree::Tree;
use crate::{ImageError, Lock, Store, esp, initrd, root};

/// The inputs of an image.
#[derive(Debug)]
pub struct Recipe<'r> {
    /// The configuration that the image carries.
    pub bundle: &'r Bundle,
    /// The pinned packages.
    pub lock: &'r Lock,
    /// The store in which packages are kept.
    pub store: &'r Store,
    /// The path of the program `postkiln-node`.
    pub node: PathBuf,
    /// The path of the program `postkiln-boot`.
    pub boot: PathBuf,
}

/// A finished image.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Image {
    /// The size of the file in octets.
    pub size: u64,
    /// The octets that the file takes on disk: its content, without holes.
    pub content: u64,
}

/// Takes progress reports, a line each.
pub type Tell<'t> = &'t mut dyn FnMut(&str);

/// Inputs of every made thing: this crate's own sources, and the versions of the libraries that compress.
const SOURCES: [(&str, &[u8]); 6] = [
    ("Cargo.lock", include_bytes!("../../Cargo.lock")),
    ("tree.rs", include_bytes!("tree.rs")),
    ("libraries.rs", include_bytes!("libraries.rs")),
    ("kernel.rs", include_bytes!("kernel.rs")),
    ("initrd.rs", include_bytes!("initrd.rs")),
    ("root.rs", include_bytes!("root.rs")),
];

impl Recipe<'_> {
    /// Makes the image and writes it to `output`, mode 0600: it holds password hashes. An older file of that name stays
    /// until the new one is whole.
    ///
    /// # Errors
    /// When a package, a program or the output cannot be used.
    pub fn build(&self, output: &Path, tell: Tell<'_>) -> Result<Image, ImageError> {
        let (node, boot) = (program(&self.node, "--node")?, program(&self.boot, "--boot")?);
        let kernel_tree = OnceCell::new();
        let vmlinuz = self.vmlinuz(&kernel_tree, tell)?;
        let initrd = self.initrd(&kernel_tree, &boot, tell)?;
        let root = self.root(&kernel_tree, &node, tell)?;
        let loader = self.loader(tell)?;
        tell("writing the disk image");
        let layout = Layout::with_room(self.bundle.manifest())?;
        let place = layout.place("esp")?;
        let contents = esp::Contents { loader: &loader.efi, kernel: &vmlinuz, initrd: &initrd };
        let esp = esp::make(place.size, layout.volume, &contents)?;
        let bios = layout.place("bios")?;
        let broken = || ImageError::make("the GRUB images")("core.img has no place for its addresses".to_owned());
        let (boot_code, core) = loader.placed(bios.start / 512).ok_or_else(broken)?;
        let mut draft = Draft::create(output)?;
        draft.file.set_len(layout.size()).map_err(ImageError::io(output))?;
        layout.write(&mut draft.file, &boot_code)?;
        put(&mut draft.file, bios, "the GRUB core image", &core)?;
        put(&mut draft.file, place, "the EFI system partition", &esp)?;
        put(&mut draft.file, layout.place("root-a")?, "the root file system", &root)?;
        let packed = self.bundle.pack().map_err(|error| ImageError::make("the packed bundle")(error.to_string()))?;
        put(&mut draft.file, layout.place("bundle-a")?, "the bundle", &packed)?;
        draft.finish()
    }

    fn vmlinuz(&self, tree: &OnceCell<Tree>, tell: Tell<'_>) -> Result<Vec<u8>, ImageError> {
        let key = self.pins(Parts::default(), &["kernel"])?.hex();
        self.made("vmlinuz", &key, || Ok(Kernel::of(self.kernel(tree, tell)?).image()?.to_vec()))
    }

    fn initrd(&self, tree: &OnceCell<Tree>, boot: &[u8], tell: Tell<'_>) -> Result<Vec<u8>, ImageError> {
        let parts = sources(Parts::default()).with("boot", boot);
        let key = self.pins(parts, &["kernel"])?.hex();
        self.made("initrd", &key, || {
            tell("packing the initrd");
            initrd::make(&Kernel::of(self.kernel(tree, tell)?), boot)
        })
    }

    fn root(&self, tree: &OnceCell<Tree>, node: &[u8], tell: Tell<'_>) -> Result<Vec<u8>, ImageError> {
        let scanner = self.bundle.manifest().services.iter().any(|service| service.role == Role::Clamd);
        let sets: &[&str] = if scanner { &["base", "clamav"] } else { &["base"] };
        let users: Vec<String> =
            postkiln_bundle::User::ALL.iter().map(|user| format!("{} {}", user.name(), user.id())).collect();
        let parts = sources(Parts::default())
            .with("root.json", include_bytes!("../root.json"))
            .with("users", users.join("\n").as_bytes())
            .with("node", node);
        let key = self.pins(self.pins(parts, &["kernel"])?, sets)?.hex();
        self.made("root", &key, || {
            let packages = self.unpacked(sets, tell)?;
            tell("packing the root file system");
            root::make(&packages, &Kernel::of(self.kernel(tree, tell)?), sets, node, &key)
        })
    }

    fn loader(&self, tell: Tell<'_>) -> Result<Loader, ImageError> {
        let key = self.pins(Loader::recipe(sources(Parts::default())), &["loader"])?.hex();
        if let Some(loader) = self.store.made("loader", &key).as_deref().and_then(Loader::unpack) {
            return Ok(loader);
        }
        let packages = self.unpacked(&["loader"], tell)?;
        tell("making the boot loaders");
        let loader = Loader::make(&packages)?;
        self.store.keep("loader", &key, &loader.pack())?;
        Ok(loader)
    }

    fn kernel<'t>(&self, tree: &'t OnceCell<Tree>, tell: Tell<'_>) -> Result<&'t Tree, ImageError> {
        if tree.get().is_none() {
            let unpacked = self.unpacked(&["kernel"], tell)?;
            let _ = tree.set(unpacked);
        }
        tree.get().ok_or_else(|| ImageError::NoSet("kernel".to_owned()))
    }

    fn unpacked(&self, sets: &[&str], tell: Tell<'_>) -> Result<Tree, ImageError> {
        let mut tree = Tree::default();
        for set in sets {
            for pin in self.lock.set(set)? {
                tree.add_package(&pin.name, &self.store.package(pin, tell)?)?;
            }
        }
        Ok(tree)
    }

    fn pins(&self, mut parts: Parts, sets: &[&str]) -> Result<Parts, ImageError> {
        for set in sets {
            for pin in self.lock.set(set)? {
                parts = parts.with(set, pin.sha256.as_bytes());
            }
        }
        Ok(parts)
    }

    fn made(
        &self,
        kind: &str,
        key: &str,
        make: impl FnOnce() -> Result<Vec<u8>, ImageError>,
    ) -> Result<Vec<u8>, ImageError> {
        if let Some(bytes) = self.store.made(kind, key) {
            return Ok(bytes);
        }
        let bytes = make()?;
        self.store.keep(kind, key, &bytes)?;
        Ok(bytes)
    }
}

fn sources(parts: Parts) -> Parts {
    let parts = parts.with("kernel.json", Choice::TEXT.as_bytes());
    SOURCES.iter().fold(parts, |parts, (name, bytes)| parts.with(name, bytes))
}

fn program(path: &Path, option: &str) -> Result<Vec<u8>, ImageError> {
    fs::read(path).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => ImageError::Program { path: path.to_owned(), option: option.to_owned() },
        _ => ImageError::io(path)(error),
    })
}

/// A file that gets its name only when it is complete.
struct Draft {
    file: fs::File,
    path: PathBuf,
    output: PathBuf,
    finished: bool,
}

impl Draft {
    fn create(output: &Path) -> Result<Self, ImageError> {
        let name = output.file_name().unwrap_or_default().to_string_lossy();
        let path = output.with_file_name(format!(".{name}.{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let mut options = OpenOptions::new();
        options.read(true).write(true).create_new(true).mode(0o600);
        let file = options.open(&path).map_err(ImageError::io(&path))?;
        Ok(Self { file, path, output: output.to_owned(), finished: false })
    }

    fn finish(mut self) -> Result<Image, ImageError> {
        let about = self.file.metadata().map_err(ImageError::io(&self.path))?;
        fs::rename(&self.path, &self.output).map_err(ImageError::io(&self.output))?;
        self.finished = true;
        Ok(Image { size: about.len(), content: about.blocks() * 512 })
    }
}

impl Drop for Draft {
    fn drop(&mut self) {
        if !self.finished {
            let _ = fs::remove_file(&self.path);
        }
    }
}
