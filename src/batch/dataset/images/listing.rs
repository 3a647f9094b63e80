//! The images of a folder, and the classes that its sub-folders stand for.

use std::fs;
use std::path::Path;

use bartizan_read::ReadError;

use crate::batch::BatchError;
use crate::batch::dataset::defect::Defect;

/// Folders within folders; more are a link that leads back.
const DEEPEST: usize = 32;

/// Extensions of images that are refused, so that no point goes missing unnoticed.
const OTHER_IMAGES: [&str; 8] = ["bmp", "gif", "jpeg", "jpg", "ppm", "tif", "tiff", "webp"];

/// The images of a folder.
#[derive(Debug, Default)]
pub struct Listing {
    /// Paths from the folder on, with `/` between names, in ascending order.
    pub paths: Vec<String>,
    /// Names of the folder's own sub-folders, in ascending order, those without images included.
    folders: Vec<String>,
}

impl Listing {
    /// Lists a folder.
    ///
    /// # Errors
    ///
    /// A folder cannot be read, a name is no Unicode, or there is an image that is no PNG.
    pub fn of(folder: &Path) -> Result<Listing, BatchError> {
        let mut listing = Listing::default();
        listing.add(folder, "", 0)?;
        listing.paths.sort_unstable();
        listing.folders.sort_unstable();
        Ok(listing)
    }

    fn add(&mut self, folder: &Path, prefix: &str, depth: usize) -> Result<(), BatchError> {
        let reading = |error| Defect::Read(error).within(folder);
        let refused =
            |expected: &str, found: String| Defect::from(ReadError::part("folder", expected, found)).within(folder);
        if depth > DEEPEST {
            return Err(refused("folders within folders that end somewhere", format!("more than {DEEPEST}")));
        }
        for entry in fs::read_dir(folder).map_err(reading)? {
            let path = entry.map_err(reading)?.path();
            let name = path.file_name().unwrap_or_default();
            let Some(name) = name.to_str() else {
                return Err(refused("names in Unicode", format!("{}", name.display())));
            };
            let extension = path.extension().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
            if name.starts_with('.') {
                continue;
            }
            if fs::metadata(&path).map_err(|error| Defect::Read(error).within(&path))?.is_dir() {
                if depth == 0 {
                    self.folders.push(name.to_owned());
                }
                self.add(&path, &format!("{prefix}{name}/"), depth + 1)?;
            } else if extension == "png" {
                self.paths.push(format!("{prefix}{name}"));
            } else if OTHER_IMAGES.contains(&extension.as_str()) {
                return Err(refused("PNG images only", format!("`{name}`")));
            }
        }
        Ok(())
    }

    /// The place of an image.
    pub fn find(&self, path: &str) -> Option<usize> {
        let path = path.strip_prefix("./").unwrap_or(path);
        self.paths.binary_search_by(|known| known.as_str().cmp(path)).ok()
    }

    /// The class of each image, from the sub-folder that it is in.
    ///
    /// # Errors
    ///
    /// An image is in no sub-folder.
    pub fn labels(&self) -> Result<Vec<usize>, ReadError> {
        let numbers = self.numbers();
        let label = |path: &String| {
            let folder = path.split_once('/').map(|(folder, _)| folder);
            let rank = folder.and_then(|folder| self.folders.iter().position(|known| known == folder));
            let rank = rank.ok_or_else(|| {
                let expected = "a sub-folder for each class, or --labels FILE.csv with the columns `file` and `label`";
                ReadError::part(format!("image `{path}`"), expected, "no label")
            })?;
            Ok(numbers.as_ref().map_or(rank, |numbers| numbers[rank]))
        };
        self.paths.iter().map(label).collect()
    }

    /// Names of the classes; none where they are the class indices themselves.
    pub fn class_names(&self) -> Option<Vec<String>> {
        if self.numbers().is_none() { Some(self.folders.clone()) } else { None }
    }

    /// The numbers that the sub-folders' names are, if all are.
    fn numbers(&self) -> Option<Vec<usize>> {
        let number = |name: &String| name.parse::<u32>().ok().map(|number| number as usize);
        self.folders.iter().map(number).collect()
    }
}
