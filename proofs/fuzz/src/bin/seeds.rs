//! Writes the samples as inputs of the fuzz target: `seeds FOLDER`.

use std::path::Path;

use fuzz::{Instance, samples};

fn main() {
    let folder = std::env::args().nth(1).expect("usage: seeds FOLDER");
    std::fs::create_dir_all(&folder).expect("a folder can be made");
    let instances = Instance::all();
    for kind in ["valid", "rejected"] {
        for file in std::fs::read_dir(samples().join(kind)).expect("the samples are there") {
            let path = file.expect("a folder can be listed").path();
            let name = path.file_stem().and_then(|stem| stem.to_str()).expect("a name");
            let place = instances.iter().position(|instance| name.rsplit('.').next() == Some(&instance.name));
            let number = u8::try_from(place.expect("the name of an instance")).expect("few instances");
            let certificate = std::fs::read(&path).expect("a file can be read");
            let Some(body) = certificate.get(instances[usize::from(number)].header().len()..) else { continue };
            std::fs::write(Path::new(&folder).join(name), [&[number], body].concat()).expect("a file can be written");
        }
    }
}
