//! What the fuzz target checks, and the limits it holds the checker to.

use std::alloc::{GlobalAlloc, Layout, System};
use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use bartizan_proof::certificate::{Header, encode};
use bartizan_proof::check::{verify, volume};
use bartizan_proof::{Network, Property};
use bartizan_read::{read_nnet, read_onnx, read_vnnlib};

/// Memory that checking may take whatever the certificate: states of the deepest tree.
const BASE: usize = 4 << 20;

/// Memory that checking may take for each byte of a certificate; a mark of one bit can stand for a slope of four
/// bytes in a list that is being grown, and a target of two bytes is about a hundred in memory. Longer inputs than the
/// fuzzer's may take more: 512 levels of a path may each hold a copy of a list of 2^12 kept slopes or lemmas.
const PER_BYTE: usize = 400;

/// Counts what is allocated.
pub struct Counting;

static NOW: AtomicUsize = AtomicUsize::new(0);
static PEAK: AtomicUsize = AtomicUsize::new(0);

// SAFETY: everything is left to the system's allocator.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Relaxed) + layout.size();
        PEAK.fetch_max(now, Relaxed);
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Relaxed);
        unsafe { System.dealloc(pointer, layout) }
    }
}

/// A model and a property of the samples.
pub struct Instance {
    pub name: String,
    pub network: Network,
    pub property: Property,
    /// Whether the property holds.
    pub is_true: bool,
}

/// The folder of the samples.
pub fn samples() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../samples")
}

impl Instance {
    /// The instances of the samples, by name.
    pub fn all() -> Vec<Instance> {
        let files = std::fs::read_dir(samples()).expect("the samples are there");
        let paths = files.map(|file| file.expect("a folder can be listed").path());
        let mut models: Vec<PathBuf> =
            paths.filter(|path| path.extension().is_some_and(|e| e == "nnet" || e == "onnx")).collect();
        models.sort();
        models.iter().map(|model| Instance::read(model)).collect()
    }

    fn read(model: &Path) -> Instance {
        let bytes = |path: &Path| std::fs::read(path).expect("a file can be read");
        let is_nnet = model.extension().is_some_and(|e| e == "nnet");
        let network = if is_nnet { read_nnet(&bytes(model)) } else { read_onnx(&bytes(model)) };
        let name = model.file_stem().and_then(|stem| stem.to_str()).expect("a name").to_owned();
        let property = read_vnnlib(&bytes(&model.with_extension("vnnlib"))).expect("a property");
        Instance { is_true: !name.ends_with("_false"), name, network: network.expect("a network"), property }
    }

    /// The bytes of a certificate for this instance up to the number of proofs.
    pub fn header(&self) -> Vec<u8> {
        let mut bytes = encode(&Header::of(&self.network, &self.property), &[]);
        bytes.pop();
        bytes
    }
}

/// Checks the certificate that follows a header and an instance's number: any number of threads gives the same answer,
/// nothing proves what is false, and memory stays within its limits.
pub fn check(instances: &[Instance], data: &[u8]) {
    let Some((number, body)) = data.split_first() else { return };
    let instance = &instances[usize::from(*number) % instances.len()];
    let certificate = [&instance.header(), body].concat();
    let before = NOW.load(Relaxed);
    let answers = [1, 2].map(|threads| {
        PEAK.store(before, Relaxed);
        let threads = NonZeroUsize::new(threads).expect("not zero");
        let answer = verify(&instance.network, &instance.property, &certificate, threads);
        let taken = PEAK.load(Relaxed).saturating_sub(before);
        assert!(
            taken <= BASE + PER_BYTE * certificate.len(),
            "{taken} bytes for a certificate of {}",
            certificate.len()
        );
        answer
    });
    assert!(instance.is_true || answers[0].is_err(), "a false claim is accepted");
    let [one, two] = answers.map(|answer| format!("{answer:?}"));
    assert_eq!(one, two, "the answer depends on the number of threads");
    let shares = [1, 2].map(|threads| {
        let threads = NonZeroUsize::new(threads).expect("not zero");
        volume(&instance.network, &instance.property, &certificate, threads)
    });
    for proved in shares.iter().flatten() {
        let violated = proved.regions().iter().any(|shares| shares.violated() > 0.0);
        // The false instance is false on a line.
        assert!(!violated, "a case is said to happen everywhere in a part");
    }
    let [one, two] = shares.map(|answer| format!("{answer:?}"));
    assert_eq!(one, two, "the shares depend on the number of threads");
}
