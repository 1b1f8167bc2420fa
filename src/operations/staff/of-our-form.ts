/** Reads a record that is ours by its MAC as what it has to be by its key. */
import { keyOf, type Image } from '../../core/image';
import { PortError } from '../../ports';

/** `read` throws where `image` has another form. Throws `PortError` (`corrupt`) then. */
export function ofOurForm<T>(image: Image, read: (image: Image) => T): T {
  try {
    return read(image);
  } catch (cause) {
    const { pk, sk } = keyOf(image);
    throw new PortError('corrupt', `record ${pk} / ${sk} has a form that nothing of ours writes`, { cause });
  }
}
