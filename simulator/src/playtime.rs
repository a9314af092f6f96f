//! How long a recording plays: AMR and MP3, frame by frame.

/// Payload bytes of an AMR narrow-band frame by its type (3GPP TS 26.101).
const NARROW: [usize; 9] = [12, 13, 15, 17, 19, 20, 26, 31, 5];
/// Payload bytes of an AMR wide-band frame by its type (3GPP TS 26.201).
const WIDE: [usize; 10] = [17, 23, 32, 36, 40, 46, 50, 58, 60, 5];
/// Every AMR frame plays for so many milliseconds.
const AMR_FRAME_MS: u64 = 20;

/// Kilobits per second of MPEG-1 layer III, by the header's index.
const KBPS_1: [u64; 16] = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 0];
/// The same of MPEG-2 and 2.5.
const KBPS_2: [u64; 16] = [0, 8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 0];
/// Samples per second of MPEG-1; MPEG-2 has half, MPEG-2.5 a quarter.
const RATES: [u64; 3] = [44_100, 48_000, 32_000];

/// Milliseconds of a recording; 0 for what is neither AMR nor MP3.
pub fn ms(bytes: &[u8]) -> u64 {
    if let Some(frames) = bytes.strip_prefix(b"#!AMR\n") {
        return amr(frames, &NARROW);
    }
    if let Some(frames) = bytes.strip_prefix(b"#!AMR-WB\n") {
        return amr(frames, &WIDE);
    }
    mp3(bytes)
}

fn amr(mut rest: &[u8], sizes: &[usize]) -> u64 {
    let mut frames = 0;
    while let [head, payload @ ..] = rest {
        let size = sizes.get(usize::from(head >> 3 & 15)).copied().unwrap_or_default();
        frames += 1;
        rest = payload.get(size..).unwrap_or_default();
    }
    frames * AMR_FRAME_MS
}

fn mp3(bytes: &[u8]) -> u64 {
    let mut rest = bytes.get(id3_length(bytes)..).unwrap_or_default();
    let mut micros = 0;
    while let Some((length, plays)) = mp3_frame(rest) {
        micros += plays;
        rest = rest.get(length..).unwrap_or_default();
    }
    micros / 1000
}

/// Bytes of the ID3v2 tag in front: its length has seven bits in each byte.
fn id3_length(bytes: &[u8]) -> usize {
    match bytes {
        [b'I', b'D', b'3', _, _, _, length @ ..] => {
            let length = length.iter().take(4).fold(0, |sum, byte| sum << 7 | usize::from(byte & 0x7F));
            length + 10
        }
        _ => 0,
    }
}

/// Length and microseconds of the frame that begins here.
fn mp3_frame(bytes: &[u8]) -> Option<(usize, u64)> {
    let [0xFF, kind, rates, ..] = *bytes else { return None };
    let (sync, layer, version) = (kind >> 5, kind >> 1 & 3, kind >> 3 & 3);
    if sync != 7 || layer != 1 {
        return None;
    }
    let (samples, slower, kbps) = match version {
        3 => (1152, 0, KBPS_1),
        2 => (576, 1, KBPS_2),
        0 => (576, 2, KBPS_2),
        _ => return None,
    };
    let kbps = *kbps.get(usize::from(rates >> 4)).filter(|kbps| **kbps > 0)?;
    let rate = RATES.get(usize::from(rates >> 2 & 3))? >> slower;
    let length = samples / 8 * kbps * 1000 / rate + u64::from(rates >> 1 & 1);
    Some((usize::try_from(length).ok()?, samples * 1_000_000 / rate))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amr_frames_play_20_ms_each() {
        let mut voice = b"#!AMR\n".to_vec();
        for _ in 0..50 {
            voice.extend([&[0x3C][..], &[0; 31]].concat());
        }
        assert_eq!(ms(&voice), 1000);
        voice.extend([0x44, 0, 0, 0, 0, 0]);
        assert_eq!(ms(&voice), 1020, "a silence descriptor");
        let wide = [b"#!AMR-WB\n".to_vec(), [&[0x44][..], &[0; 60]].concat().repeat(3)].concat();
        assert_eq!(ms(&wide), 60);
    }

    #[test]
    fn mp3_frames_play_by_their_headers() {
        // 128 kbit/s at 44.1 kHz: 417 bytes, 26.12 ms.
        let frame = [&[0xFF, 0xFB, 0x90, 0x00][..], &[0; 413]].concat();
        assert_eq!(ms(&frame.repeat(100)), 2612);
        let tagged = [&b"ID3\x04\x00\x00\x00\x00\x01\x02"[..], &[0; 130], &frame].concat();
        assert_eq!(ms(&tagged), 26);
        // MPEG-2, 48 kbit/s at 24 kHz: 144 bytes, 24 ms.
        let speech = [&[0xFF, 0xF3, 0x64, 0x00][..], &[0; 140]].concat();
        assert_eq!(ms(&speech.repeat(10)), 240);
    }

    #[test]
    fn what_is_no_recording_plays_no_time() {
        for bytes in [&b""[..], b"#!AMR\n", b"\xFF", b"\xFF\xFB\x00\x00", b"\x89PNG", b"ID3"] {
            assert_eq!(ms(bytes), 0, "{bytes:?}");
        }
    }
}
