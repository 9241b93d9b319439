use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::*;

/// How the archive of a test is made.
#[derive(Clone, Copy, Default)]
struct Shape {
    is_stored: bool,
    is_zip64: bool,
    is_encrypted: bool,
    comment: usize,
}

fn archive(files: &[(&str, &[u8])], shape: Shape) -> Vec<u8> {
    let mut out = Vec::new();
    let mut directory = Vec::new();
    for (name, content) in files {
        let header_at = out.len() as u32;
        let mut crc = Crc::new();
        crc.update(content);
        let data = if shape.is_stored {
            content.to_vec()
        } else {
            let mut deflater = DeflateEncoder::new(Vec::new(), Compression::default());
            deflater.write_all(content).unwrap();
            deflater.finish().unwrap()
        };
        let method: u16 = if shape.is_stored { 0 } else { 8 };
        let mut common = Vec::new();
        common.extend(20u16.to_le_bytes());
        common.extend(u16::from(shape.is_encrypted).to_le_bytes());
        common.extend(method.to_le_bytes());
        common.extend([0; 4]);
        common.extend(crc.sum().to_le_bytes());
        let lengths = if shape.is_zip64 { [u32::MAX; 2] } else { [data.len() as u32, content.len() as u32] };
        common.extend(lengths.map(u32::to_le_bytes).concat());
        common.extend((name.len() as u16).to_le_bytes());
        // Readers take the lengths from the directory, but step over this field.
        out.extend(LOCAL_HEADER);
        out.extend(&common);
        out.extend(5u16.to_le_bytes());
        out.extend(name.as_bytes());
        out.extend([9; 5]);
        out.extend(&data);
        let mut extra = vec![7, 0, 2, 0, 1, 2];
        if shape.is_zip64 {
            extra.extend([1, 0, 24, 0]);
            extra.extend(
                [content.len() as u64, data.len() as u64, header_at.into()].map(u64::to_le_bytes).concat(),
            );
        }
        directory.extend(DIRECTORY_ENTRY);
        directory.extend([20, 0]);
        directory.extend(&common);
        directory.extend((extra.len() as u16).to_le_bytes());
        directory.extend([0; 10]);
        directory.extend(if shape.is_zip64 { u32::MAX } else { header_at }.to_le_bytes());
        directory.extend(name.as_bytes());
        directory.extend(&extra);
    }
    let (at, count) = (out.len() as u64, files.len() as u64);
    out.extend(&directory);
    if shape.is_zip64 {
        let end_at = out.len() as u64;
        out.extend(END_64);
        out.extend([0; 20]);
        out.extend([count, count, directory.len() as u64, at].map(u64::to_le_bytes).concat());
        out.extend(END_64_LOCATOR);
        out.extend([0; 4]);
        out.extend(end_at.to_le_bytes());
        out.extend([1, 0, 0, 0]);
    }
    out.extend(END);
    out.extend([0; 4]);
    out.extend([count as u16; 2].map(u16::to_le_bytes).concat());
    let narrow = |value: u64| if shape.is_zip64 { u32::MAX } else { value as u32 };
    out.extend([narrow(directory.len() as u64), narrow(at)].map(u32::to_le_bytes).concat());
    out.extend((shape.comment as u16).to_le_bytes());
    out.extend(vec![b'P'; shape.comment]);
    out
}

fn read(archive: Vec<u8>) -> Result<String, ZipError> {
    let mut text = String::new();
    ZipFile::open(Cursor::new(archive)).map_err(|(_, error)| error)?.read_to_string(&mut text)?;
    Ok(text)
}

fn rows() -> String {
    (0..50_000).map(|row| format!("{row},{},7\n", row % 13)).collect()
}

#[test]
fn the_only_file_is_read_in_every_shape_of_an_archive() {
    let rows = rows();
    for shape in [
        Shape::default(),
        Shape { is_stored: true, ..Shape::default() },
        Shape { is_zip64: true, ..Shape::default() },
        Shape { comment: 65_535, ..Shape::default() },
    ] {
        let archive = archive(&[("folder/", b""), ("rows.csv", rows.as_bytes())], shape);
        assert_eq!(ZipFile::open(Cursor::new(&archive)).unwrap().name(), "rows.csv");
        assert!(read(archive).unwrap() == rows);
    }
}

#[test]
fn an_archive_of_several_files_or_of_none_is_refused() {
    let of = |files: &[(&str, &[u8])]| read(archive(files, Shape::default()));

    assert!(matches!(of(&[("a", b"1"), ("b", b"2")]), Err(ZipError::NotOneFile(2))));
    assert!(matches!(of(&[("a/", b"")]), Err(ZipError::NotOneFile(0))));
}

#[test]
fn an_encrypted_file_is_refused() {
    let archive = archive(&[("a", b"1")], Shape { is_encrypted: true, ..Shape::default() });

    assert!(matches!(read(archive), Err(ZipError::Unsupported(_))));
}

#[test]
fn a_refusal_has_the_place_in_the_archive() {
    let refused_at = |archive: Vec<u8>| ZipFile::open(Cursor::new(archive)).err().map(|(at, _)| at);
    let whole = archive(&[("a", b"1"), ("b", b"2")], Shape::default());
    let end = whole.len() as u64;

    assert_eq!(refused_at(whole[..whole.len() - 1].to_vec()), Some(end - 1), "no end record");
    assert!(refused_at(whole).is_some_and(|at| at > 60), "the directory");
    let encrypted = archive(&[("a", b"1")], Shape { is_encrypted: true, ..Shape::default() });
    assert_eq!(refused_at(encrypted), Some(0), "the header of the file");
}

#[test]
fn every_truncation_is_an_error() {
    let whole = archive(&[("rows.csv", b"1,2,3\n4,5,6\n")], Shape::default());

    for length in 0..whole.len() {
        assert!(read(whole[..length].to_vec()).is_err(), "{length}");
    }
}

#[test]
fn no_changed_byte_causes_a_panic_and_changed_content_is_an_error() {
    const CONTENT: &str = "1,2,3\n4,5,6\n";
    for shape in [Shape::default(), Shape { is_zip64: true, ..Shape::default() }] {
        let whole = archive(&[("rows.csv", CONTENT.as_bytes())], shape);
        for at in 0..whole.len() {
            for change in [1, 0x80, 0xff] {
                let mut broken = whole.clone();
                broken[at] ^= change;
                let read = read(broken);
                assert!(read.as_deref().unwrap_or(CONTENT) == CONTENT, "byte {at}: {read:?}");
            }
        }
    }
}
