//! The pages of a column, as far as the decoder believes them without a check.

use ::parquet::basic::Encoding;
use ::parquet::column::page::{Page, PageMetadata, PageReader};
use ::parquet::errors::{ParquetError, Result};

/// Pages that hold together no more values than the column claims, and refer to no dictionary that is not there.
pub struct CheckedPages {
    inner: Box<dyn PageReader>,
    has_dictionary: bool,
    /// Values that may still come.
    left: u64,
}

impl CheckedPages {
    /// The pages of a column that claims to hold some number of values.
    pub fn new(inner: Box<dyn PageReader>, values: u64) -> Self {
        CheckedPages { inner, has_dictionary: false, left: values }
    }

    fn check(&mut self, page: &Page) -> Result<()> {
        let refused = |text: &str| Err(ParquetError::General(text.to_owned()));
        if let Page::DictionaryPage { .. } = page {
            self.has_dictionary = true;
            return Ok(());
        }
        let needs_dictionary = matches!(page.encoding(), Encoding::RLE_DICTIONARY | Encoding::PLAIN_DICTIONARY);
        if needs_dictionary && !self.has_dictionary {
            return refused("a page that refers to a missing dictionary");
        }
        match self.left.checked_sub(u64::from(page.num_values())) {
            Some(left) => self.left = left,
            None => return refused("more values than the column claims to hold"),
        }
        Ok(())
    }
}

impl Iterator for CheckedPages {
    type Item = Result<Page>;

    fn next(&mut self) -> Option<Result<Page>> {
        self.get_next_page().transpose()
    }
}

impl PageReader for CheckedPages {
    fn get_next_page(&mut self) -> Result<Option<Page>> {
        let page = self.inner.get_next_page()?;
        page.iter().try_for_each(|page| self.check(page))?;
        Ok(page)
    }

    fn peek_next_page(&mut self) -> Result<Option<PageMetadata>> {
        self.inner.peek_next_page()
    }

    fn skip_next_page(&mut self) -> Result<()> {
        self.inner.skip_next_page()
    }

    fn at_record_boundary(&mut self) -> Result<bool> {
        self.inner.at_record_boundary()
    }
}
