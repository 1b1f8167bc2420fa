/** The named mutants: each is one way this system could quietly stop being what it claims. `find` occurs exactly once in `file`. */

export interface Mutant {
  /** What the broken program does. */
  readonly name: string;
  readonly file: string;
  readonly find: string;
  readonly replace: string;
  /** Test files, at least one of which must fail. The fewest and quickest that should notice. */
  readonly tests: readonly string[];
}

/** A line that is gone. */
const NOTHING = '';

const LOG_FORMAT: readonly Mutant[] = [
  { name: 'leaves are hashed with the prefix of nodes', file: 'src/core/log/sha256-lanes.ts', find: 'const LEAF_PREFIX = 0x00;', replace: 'const LEAF_PREFIX = 0x01;', tests: ['test/core/log/merkle.test.ts'] },
  { name: 'nodes are hashed with the prefix of leaves', file: 'src/core/log/sha256-lanes.ts', find: 'const NODE_PREFIX = 0x01;', replace: 'const NODE_PREFIX = 0x00;', tests: ['test/core/log/merkle.test.ts'] },
  {
    name: 'nodes hashed four at a time lack their prefix',
    file: 'src/core/log/sha256-lanes-module.ts',
    find: 'splat(0x01000000), OR',
    replace: 'splat(0x00000000), OR',
    tests: ['test/core/log/merkle.test.ts'],
  },
  {
    name: 'an inclusion proof may be too short',
    file: 'src/core/log/merkle.ts',
    find: 'return last === 0 && sameBytes(hash, root);',
    replace: 'return sameBytes(hash, root);',
    tests: ['test/core/log/merkle.test.ts'],
  },
  {
    name: 'an inclusion proof may be about an index beyond the tree',
    file: 'src/core/log/merkle.ts',
    find: ' || index < 0 || index >= size) return false;',
    replace: ' || index < 0) return false;',
    tests: ['test/core/log/merkle.test.ts'],
  },
  {
    name: 'a consistency proof need not begin at the old root',
    file: 'src/core/log/merkle.ts',
    find: 'return last === 0 && sameBytes(oldHash, oldRoot) && sameBytes(newHash, root);',
    replace: 'return last === 0 && sameBytes(newHash, root);',
    tests: ['test/core/log/merkle.test.ts'],
  },
  {
    name: 'tile paths beyond 999 lack their x',
    file: 'src/core/log/tile-path.ts',
    find: "path = `x${String(rest % 1000).padStart(3, '0')}/${path}`",
    replace: "path = `${String(rest % 1000).padStart(3, '0')}/${path}`",
    tests: ['test/core/log/tiles.test.ts'],
  },
  {
    name: 'entries in bundles carry their length the wrong way round',
    file: 'src/core/log/bundle.ts',
    find: 'out.writeUInt16BE(entry.length, at)',
    replace: 'out.writeUInt16LE(entry.length, at)',
    tests: ['test/core/log/tiles.test.ts', 'test/core/log/merkle.test.ts'],
  },
  {
    name: 'a forged signature counts as one',
    file: 'src/core/log/signed-note.ts',
    find: '(valid ? signedBy : forged).add(key);',
    replace: '(valid || signature.length === SIGNATURE_SIZE ? signedBy : forged).add(key);',
    tests: ['test/core/log/signed-note.test.ts'],
  },
  {
    name: 'a note is made of a signature that does not verify',
    file: 'src/core/log/signed-note.ts',
    find: 'if (!verifySignature(key, Buffer.from(text), signature)) throw',
    replace: 'if (signature.length === 0) throw',
    tests: ['test/core/log/signed-note.test.ts'],
  },
  { name: 'the key id leaves out the line end after the name', file: 'src/core/log/vkey.ts', find: 'Buffer.from(`${name}\\n`)', replace: 'Buffer.from(name)', tests: ['test/core/log/signed-note.test.ts'] },
  {
    name: 'a vkey may state an id that is not its own',
    file: 'src/core/log/vkey.ts',
    find: 'if (formatKeyId(key.keyId) !== match[2]) throw',
    replace: "if (match[2] === '') throw",
    tests: ['test/core/log/signed-note.test.ts'],
  },
  {
    name: 'a key history takes a key that the one before did not sign',
    file: 'src/core/log/log-vkeys.ts',
    find: 'note.signatures.length !== 1 || signedBy.length !== 1 || forged.length > 0',
    replace: 'note.signatures.length !== 1 || forged.length > 0',
    tests: ['test/core/log/signed-note.test.ts'],
  },
  {
    name: 'a proof may end in a checkpoint of another log',
    file: 'src/core/log/tlog-proof.ts',
    find: 'if (!signedBy.some((key) => key.name === checkpoint.origin)) return',
    replace: "if (checkpoint.origin === '') return",
    tests: ['test/core/log/signed-note.test.ts'],
  },
];

const CANONICAL_AND_KEYS: readonly Mutant[] = [
  {
    name: 'canonical JSON sorts names by locale',
    file: 'src/core/canonical-json.ts',
    find: 'Object.keys(members).sort()',
    replace: 'Object.keys(members).sort((a, b) => a.localeCompare(b))',
    tests: ['test/core/canonical-json.test.ts'],
  },
  { name: 'the MAC does not cover the content', file: 'src/core/record-mac.ts', find: ".update(canonicalImage(image, { without: 'mac' }))", replace: NOTHING, tests: ['test/core/record-mac.test.ts'] },
  { name: 'the MAC does not name the table', file: 'src/core/record-mac.ts', find: '    TABLE,\n', replace: NOTHING, tests: ['test/core/record-mac.test.ts'] },
  { name: 'the MAC does not name the kind', file: 'src/core/record-mac.ts', find: "    stringOf(image, 'kind') ?? null,\n", replace: NOTHING, tests: ['test/core/record-mac.test.ts'] },
  { name: 'the MAC does not name the revision', file: 'src/core/record-mac.ts', find: "integerOf(image, 'rev') ?? null", replace: 'null', tests: ['test/core/record-mac.test.ts'] },
  {
    name: 'any MAC of the right length is valid',
    file: 'src/core/record-mac.ts',
    find: 'isOurSpelling && timingSafeEqual(given, expected)',
    replace: 'isOurSpelling && given.length === expected.length',
    tests: ['test/core/record-mac.test.ts'],
  },
  { name: 'a commitment has no domain', file: 'src/core/commitment.ts', find: '.update(DOMAIN)', replace: NOTHING, tests: ['test/core/subject-key.test.ts'] },
  {
    name: 'images are committed to without a fresh salt',
    file: 'src/core/sealed-change.ts',
    find: 'joinPlaintext(random(SALT_SIZE), content)',
    replace: 'joinPlaintext(Buffer.alloc(SALT_SIZE), content)',
    tests: ['test/core/sealed-change.test.ts'],
  },
  { name: 'a JWE names no generation of its key', file: 'src/core/jwe.ts', find: 'kid: String(generation)', replace: "kid: '1'", tests: ['test/core/jwe.test.ts'] },
  {
    name: 'a JWE does not authenticate its header',
    file: 'src/core/jwe.ts',
    find: "createCipheriv('aes-256-gcm', key, iv).setAAD(Buffer.from(header, 'ascii'))",
    replace: "createCipheriv('aes-256-gcm', key, iv)",
    tests: ['test/core/jwe.test.ts'],
  },
  {
    name: 'a wrapped key opens under any subject',
    file: 'src/core/subject-key.ts',
    find: "return Buffer.concat([Buffer.from(subject, 'utf8'), number]);",
    replace: 'return number;',
    tests: ['test/core/subject-key.test.ts'],
  },
  {
    name: 'a wrapped key opens as any generation',
    file: 'src/core/subject-key.ts',
    find: "return Buffer.concat([Buffer.from(subject, 'utf8'), number]);",
    replace: "return Buffer.from(subject, 'utf8');",
    tests: ['test/core/subject-key.test.ts'],
  },
  { name: 'records of one partition share an id', file: 'src/core/subject-key.ts', find: "canonicalize(['records', pk, sk])", replace: "canonicalize(['records', pk])", tests: ['test/core/subject-key.test.ts'] },
  {
    name: 'an entry may be spelled in many ways',
    file: 'src/core/entry.ts',
    find: 'if (spell(json as Entry) !== text) throw',
    replace: "if (text === '') throw",
    tests: ['test/core/entry.test.ts'],
  },
  { name: 'dedupe keys run their parts together', file: 'src/core/dedupe-key.ts', find: '.update(length)', replace: NOTHING, tests: ['test/core/dedupe-key.test.ts'] },
  { name: 'dedupe keys are the same in every role', file: 'src/core/dedupe-key.ts', find: 'for (const part of [tag, ...parts])', replace: 'for (const part of parts)', tests: ['test/core/dedupe-key.test.ts'] },
  {
    name: 'a head is ours whatever its MAC',
    file: 'src/core/head.ts',
    find: 'isWellFormed && timingSafeEqual(head.mac, macOf(key, head)) && head.root',
    replace: 'isWellFormed && head.root',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'a proof file may disclose another record than its entry commits to',
    file: 'src/core/disclosure.ts',
    find: 'commitmentOf(joinPlaintext(salt, utf8(disclosed.image))) !== entry.commit',
    replace: "entry.commit === ''",
    tests: ['test/operations/prove-message.test.ts'],
  },
];

const SEALING: readonly Mutant[] = [
  {
    name: 'the head is read before the checkpoint',
    file: 'src/operations/read-log.ts',
    find: `  const published = await readCheckpoint({ vault: reader.vault, origin: (await reader.identity()).origin });
  const head = await reader.log.readHead();
`,
    replace: `  const head = await reader.log.readHead();
  const published = await readCheckpoint({ vault: reader.vault, origin: (await reader.identity()).origin });
`,
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'what is sealed is read before the head',
    file: 'src/operations/seal-records.ts',
    find: `    const { head } = await readLog(sealer);
    // 2. Drop exactly what is sealed. After the head: marks of a round that moved it later cannot be missed, because then the commit below is lost.
    const sealedMarks = await sealer.log.sealedMarks([...new Set(events.map(({ minute }) => minute))]);
`,
    replace: `    const sealedMarks = await sealer.log.sealedMarks([...new Set(events.map(({ minute }) => minute))]);
    const { head } = await readLog(sealer);
`,
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'events that are sealed are sealed again',
    file: 'src/operations/seal-records.ts',
    find: "const rest = events.filter(({ mark }) => !sealedMarks.has(mark.toString('hex')));",
    replace: 'const rest = [...events];',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'an event twice in one batch is sealed twice',
    file: 'src/operations/seal-records.ts',
    find: '.filter(({ eventId }) => !seen.has(eventId) && seen.add(eventId))',
    replace: '.filter(({ eventId }) => seen.add(eventId))',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'the marks of a round are forgotten',
    file: 'src/operations/seal-records.ts',
    find: 'commitRound({ ...commit, marks: marksOf(rest) })',
    replace: 'commitRound({ ...commit, marks: new Map() })',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'the head moves before the segment is durable',
    file: 'src/operations/seal-records.ts',
    find: 'await vault.createLocked(segment, bytes);',
    replace: 'void vault.createLocked(segment, bytes).catch(() => undefined);',
    tests: ['test/crash/sealing.test.ts'],
  },
  {
    name: 'a finding need not be durable before its event is sealed',
    file: 'src/operations/seal-changes.ts',
    find: 'await recordFindings(deps, change, found);',
    replace: 'void recordFindings(deps, change, found).catch(() => undefined);',
    tests: ['test/crash/sealing.test.ts'],
  },
  {
    name: 'a blob need not be durable before the entry that names it',
    file: 'src/operations/seal-changes.ts',
    find: 'await putBlobs(deps.vault, sealed.blobs);',
    replace: 'void putBlobs(deps.vault, sealed.blobs).catch(() => undefined);',
    tests: ['test/crash/sealing.test.ts'],
  },
  { name: 'a round spans more minutes than a transaction has room for', file: 'src/operations/seal-records.ts', find: 'latest - earliest >= MAX_ROUND_MINUTES', replace: 'latest - earliest > MAX_ROUND_MINUTES', tests: ['test/operations/seal-records.test.ts'] },
  {
    name: 'sealing goes on from a head that another tree was signed for',
    file: 'src/operations/read-log.ts',
    find: 'if (checkpoint.size === head.size && !checkpoint.root.equals(head.root)) throw',
    replace: 'if (checkpoint.size < 0) throw',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'sealing goes on from a head behind the checkpoint',
    file: 'src/operations/read-log.ts',
    find: 'if (checkpoint.size > head.size) throw',
    replace: 'if (checkpoint.size < 0) throw',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'a head put back goes unnoticed by who has seen a later one',
    file: 'src/operations/read-log.ts',
    find: 'if (seen !== undefined && size < seen.size) throw',
    replace: 'if (size < 0) throw',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'an immutable record may be overwritten',
    file: 'src/core/change-judgement.ts',
    find: 'if (before !== undefined && isImmutableKind(kindBefore)) found',
    replace: "if (kindBefore === 'none') found",
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'a revision may skip one',
    file: 'src/core/change-judgement.ts',
    find: "integerOf(image, 'rev') === (before",
    replace: "(integerOf(image, 'rev') ?? 0) >= (before",
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'a record may be removed',
    file: 'src/core/change-judgement.ts',
    find: "? ['record-removed', 'subject-missing'] : ['record-removed'];",
    replace: "? ['record-removed', 'subject-missing'] : [];",
    tests: ['test/operations/seal-records.test.ts'],
  },
  { name: 'the sealer does not look at MACs', file: 'src/core/change-judgement.ts', find: ', ...macViolations(image, macKeys)]', replace: ']', tests: ['test/operations/seal-records.test.ts'] },
  {
    name: 'a swapped subject takes a record out of its erasure',
    file: 'src/core/change-judgement.ts',
    find: 'subject: subjectOf(before) ?? subjectOf(image),',
    replace: 'subject: subjectOf(image) ?? subjectOf(before),',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'content is sealed without a look at its hash',
    file: 'src/operations/seal-changes.ts',
    find: "return sha256Hex(bytes) === sha256 ? bytes : 'content-mismatch';",
    replace: 'return bytes;',
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'a record may name any object of the inbox as its content',
    file: 'src/operations/seal-changes.ts',
    find: "if (!CONTENT_NAME.test(name)) return 'content-absent';",
    replace: NOTHING,
    tests: ['test/operations/seal-records.test.ts'],
  },
  {
    name: 'a state is sealed as lost while the stream still has it',
    file: 'src/operations/seal-missing.ts',
    find: '>= UNSEALED_HOURS * HOUR_MS',
    replace: '>= HOUR_MS',
    tests: ['test/operations/seal-missing.test.ts'],
  },
];

const PUBLISHING: readonly Mutant[] = [
  {
    name: 'a root is signed that was not recomputed',
    file: 'src/operations/publish-log.ts',
    find: 'if (edge.size !== head.size || !rootOfEdge(edge.edge).equals(head.root))',
    replace: 'if (edge.size !== head.size)',
    tests: ['test/operations/publish-log.test.ts'],
  },
  {
    name: 'publishing goes on from a checkpoint that is not signed',
    file: 'src/operations/publish-log.ts',
    find: "const notBefore = signerOf(published.note, keys, 'the checkpoint');",
    replace: 'const notBefore = keys[0]!;',
    tests: ['test/operations/publish-log.test.ts'],
  },
  {
    name: 'the checkpoint is replaced whatever is there by now',
    file: 'src/operations/publish-log.ts',
    find: "replaceMutable('checkpoint', note, published.etag)",
    replace: "replaceMutable('checkpoint', note, ((await vault.getMutable('checkpoint')) as { readonly etag: string }).etag)",
    tests: ['test/operations/publish-log.test.ts'],
  },
  {
    name: 'partials are deleted though their full tile does not exist',
    file: 'src/operations/publish-log.ts',
    find: 'if (full.has(index)) await vault.deletePartial(name)',
    replace: 'if (full.size >= 0 && index >= 0) await vault.deletePartial(name)',
    tests: ['test/operations/publish-log.test.ts'],
  },
  {
    name: 'partials are deleted while the checkpoint still needs them',
    file: 'src/operations/publish-log.ts',
    find: "  if ((await vault.replaceMutable('checkpoint'",
    replace: "  await removeSuperseded(publisher, written.superseded, head.size);\n  if ((await vault.replaceMutable('checkpoint'",
    tests: ['test/operations/publish-log.test.ts'],
  },
  {
    name: 'full tiles are put without a lock',
    file: 'src/operations/publish-log.ts',
    find: '(partial ? vault.createPartial(name, bytes) : vault.createLocked(name, bytes))',
    replace: 'vault.createPartial(name, bytes)',
    tests: ['test/operations/publish-log.test.ts'],
  },
  {
    name: 'a note is used again though it signs another tree',
    file: 'src/operations/sign-checkpoint.ts',
    find: 'if (note.text !== formatCheckpoint(checkpoint)) throw',
    replace: "if (note.text === '') throw",
    tests: ['test/operations/publish-log.test.ts'],
  },
  { name: 'a note is used again whoever signed it', file: 'src/operations/sign-checkpoint.ts', find: '  signerOf(note, keys, name);\n', replace: NOTHING, tests: ['test/operations/publish-log.test.ts'] },
  {
    name: 'another note is signed for a size that has one',
    file: 'src/operations/sign-checkpoint.ts',
    find: "if (there !== 'absent') return reusable(there, signing.keys, checkpoint, name);",
    replace: NOTHING,
    tests: ['test/operations/publish-log.test.ts'],
  },
  {
    name: 'an older key signs after a newer one',
    file: 'src/operations/sign-checkpoint.ts',
    find: 'notBefore !== undefined && at < keys.findIndex',
    replace: 'notBefore !== undefined && at < 0 && at < keys.findIndex',
    tests: ['test/operations/publish-log.test.ts'],
  },
];

const ADAPTERS: readonly Mutant[] = [
  {
    name: 'creating overwrites',
    file: 'src/adapters/aws/dynamodb.ts',
    find: "ConditionExpression: 'attribute_not_exists(#pk)'",
    replace: "ConditionExpression: 'attribute_not_exists(#pk) OR attribute_exists(#pk)'",
    tests: ['test/adapters/aws/dynamodb.test.ts'],
  },
  { name: 'a refused write does not bring back the old item', file: 'src/adapters/aws/dynamodb.ts', find: "'ALL_OLD'", replace: "'NONE'", tests: ['test/adapters/aws/dynamodb.test.ts'] },
  { name: 'a replace does not ask for the revision it was made from', file: 'src/adapters/aws/dynamodb.ts', find: "'#rev = :ifRev'", replace: "'#rev >= :ifRev'", tests: ['test/adapters/aws/dynamodb.test.ts'] },
  { name: 'conflicts of transactions are not tried again', file: 'src/adapters/aws/dynamodb.ts', find: "new Set(['TransactionConflict', ", replace: 'new Set([', tests: ['test/adapters/aws/dynamodb.test.ts'] },
  { name: 'the head moves though its root is another', file: 'src/adapters/aws/log-store.ts', find: "'#size = :size AND #root = :root'", replace: "'#size = :size AND attribute_exists(#root)'", tests: ['test/adapters/aws/dynamodb.test.ts'] },
  { name: 'a round may be overwritten', file: 'src/adapters/aws/log-store.ts', find: 'createOnly(roundItem(round)),', replace: '{ Put: put(roundItem(round)) },', tests: ['test/adapters/aws/dynamodb.test.ts'] },
  {
    name: 'a round of ours whose reply was lost is taken for lost',
    file: 'src/adapters/aws/log-store.ts',
    find: "if (there !== 'absent' && sameRound(roundOf(there), round)) return 'moved';",
    replace: NOTHING,
    tests: ['test/adapters/aws/dynamodb.test.ts'],
  },
  {
    name: 'the head is read from a replica that may be behind',
    file: 'src/adapters/aws/log-store.ts',
    find: 'new GetItemCommand({ TableName: table, Key: keyItem(key), ConsistentRead: true })',
    replace: 'new GetItemCommand({ TableName: table, Key: keyItem(key) })',
    tests: ['test/adapters/aws/dynamodb.test.ts'],
  },
  { name: 'a transaction has a new token at each attempt', file: 'src/adapters/aws/record-store.ts', find: 'ClientRequestToken: token', replace: 'ClientRequestToken: randomUUID()', tests: ['test/adapters/aws/dynamodb.test.ts'] },
  { name: 'a key may be replaced', file: 'src/adapters/aws/key-table.ts', find: 'Item: item, ...conditions.itemDoesNotExist, ...withOldItem', replace: 'Item: item', tests: ['test/adapters/aws/dynamodb.test.ts'] },
  { name: 'an event is summed as often as it comes', file: 'src/adapters/aws/view-store.ts', find: 'Item: keyItem(markKey), ...conditions.itemDoesNotExist', replace: 'Item: keyItem(markKey)', tests: ['test/adapters/aws/dynamodb.test.ts'] },
  {
    name: 'objects are put without If-None-Match',
    file: 'src/adapters/aws/s3.ts',
    find: "export const onlyIfAbsent = { IfNoneMatch: '*' } as const;",
    replace: 'export const onlyIfAbsent = {} as never;',
    tests: ['test/adapters/aws/s3-vault.test.ts'],
  },
  { name: 'the checkpoint is put without If-Match', file: 'src/adapters/aws/s3.ts', find: '({ IfMatch: etag })', replace: '({ ETag: etag }) as never', tests: ['test/adapters/aws/s3-vault.test.ts'] },
  { name: 'a taken name is success whatever bytes are there', file: 'src/adapters/aws/s3.ts', find: "if (there.bytes.equals(bytes)) return 'exists';", replace: "if (there.bytes.length >= 0) return 'exists';", tests: ['test/adapters/aws/s3-vault.test.ts'] },
  { name: 'objects are put without their checksum', file: 'src/adapters/aws/s3.ts', find: "    ChecksumSHA256: createHash('sha256').update(bytes).digest('base64'),\n", replace: NOTHING, tests: ['test/adapters/aws/s3-vault.test.ts'] },
  { name: 'a locked put has no mode', file: 'src/adapters/aws/s3-vault.ts', find: '    ObjectLockMode: lockMode,\n', replace: NOTHING, tests: ['test/adapters/aws/s3-vault.test.ts'] },
  { name: 'locks end before the retention does', file: 'src/adapters/aws/s3-vault.ts', find: '(retentionDays + MARGIN_DAYS)', replace: '(retentionDays - MARGIN_DAYS)', tests: ['test/adapters/aws/s3-vault.test.ts'] },
  { name: 'anything in the vault may be deleted', file: 'src/adapters/aws/s3-vault.ts', find: 'if (!PARTIAL.test(name)) throw', replace: "if (name === '') throw", tests: ['test/adapters/aws/s3-vault.test.ts'] },
  { name: 'a secret is not bound to its name', file: 'src/adapters/aws/kms.ts', find: '({ intact: name })', replace: "({ intact: 'secret' })", tests: ['test/adapters/aws/kms-and-secrets.test.ts'] },
];

const RECEIVING: readonly Mutant[] = [
  { name: 'an empty secret counts', file: 'src/core/meta/signature.ts', find: "secrets.filter((secret) => secret !== '')", replace: '[...secrets]', tests: ['test/core/meta/signature.test.ts'] },
  { name: 'without a secret everything is accepted', file: 'src/core/meta/signature.ts', find: "return 'no-secret';", replace: "return 'valid';", tests: ['test/core/meta/signature.test.ts'] },
  {
    name: 'half a signature is enough',
    file: 'src/core/meta/signature.ts',
    find: 'timingSafeEqual(hmacOf(rawBody, secret), given)',
    replace: 'timingSafeEqual(hmacOf(rawBody, secret).subarray(0, 16), given.subarray(0, 16))',
    tests: ['test/core/meta/signature.test.ts'],
  },
  {
    name: 'the signature is checked over a body that was parsed and written again',
    file: 'src/core/meta/signature.ts',
    find: 'timingSafeEqual(hmacOf(rawBody, secret), given)',
    replace: 'timingSafeEqual(hmacOf(Buffer.from(JSON.stringify(JSON.parse(rawBody.toString()))), secret), given)',
    tests: ['test/core/meta/signature.test.ts'],
  },
  { name: 'the signature is checked over the body as text', file: 'src/core/meta/signature.ts', find: 'timingSafeEqual(hmacOf(rawBody, secret), given)', replace: "timingSafeEqual(hmacOf(Buffer.from(rawBody.toString('utf8')), secret), given)", tests: ['test/core/meta/signature.test.ts'] },
  {
    name: 'statuses of all members of a group are one',
    file: 'src/core/meta/events.ts',
    find: ", event.timestamp, event.participant ?? '']",
    replace: ', event.timestamp]',
    tests: ['test/operations/receive-delivery.test.ts'],
  },
  {
    name: 'one message id under two business numbers is one message',
    file: 'src/core/meta/events.ts',
    find: "return ['message', event.phoneNumberId, event.messageId];",
    replace: "return ['message', event.messageId];",
    tests: ['test/operations/receive-delivery.test.ts', 'test/core/meta/split-delivery.test.ts'],
  },
  {
    name: 'a price added later makes another event',
    file: 'src/core/meta/digest.ts',
    find: "without(withoutProse(object), ['pricing', 'conversation'])",
    replace: 'withoutProse(object)',
    tests: ['test/core/meta/digest.test.ts'],
  },
  {
    name: 'bodies that JSON cannot tell apart are one',
    file: 'src/core/meta/digest.ts',
    find: 'return (isIJson ?',
    replace: 'return (isIJson || !isIJson ?',
    tests: ['test/core/meta/digest.test.ts'],
  },
  {
    name: 'a richer body is dropped as a duplicate',
    file: 'src/operations/record-event.ts',
    find: "return isSame ? 'duplicate' : 'variant';",
    replace: "return isSame ? 'duplicate' : 'duplicate';",
    tests: ['test/operations/receive-delivery.test.ts'],
  },
  {
    name: 'another event under a used id is taken for a variant',
    file: 'src/operations/record-event.ts',
    find: "|| !Buffer.from(event.digest, 'hex').equals(digest)) return 'conflict';",
    replace: ") return 'conflict';",
    tests: ['test/operations/receive-delivery.test.ts'],
  },
  {
    name: 'a record somebody else wrote is believed',
    file: 'src/operations/record-event.ts',
    find: "if (!holds(run, there)) return 'conflict';",
    replace: NOTHING,
    tests: ['test/operations/receive-delivery.test.ts'],
  },
  {
    name: 'a late resend brings back what was erased',
    file: 'src/operations/record-event.ts',
    find: "if (stringOf(there, 'kind') === 'tombstone') return 'duplicate';",
    replace: NOTHING,
    tests: ['test/operations/receive-delivery.test.ts'],
  },
  {
    name: 'a retry does not recognise its own write',
    file: 'src/operations/record-event.ts',
    find: "if (stringOf(there, 'attempt') === newcomer.stamp.attempt && holds(run, there)) return 'recorded';",
    replace: NOTHING,
    tests: ['test/operations/receive-delivery.test.ts'],
  },
  {
    name: 'a delivery is accepted though an event of it failed',
    file: 'src/operations/record-delivery.ts',
    find: 'if (failures.length > 0) throw',
    replace: 'if (failures.length > events.length) throw',
    tests: ['test/operations/receive-faults.test.ts'],
  },
  {
    name: 'a big delivery is accepted before it is durable',
    file: 'src/operations/receive-delivery.ts',
    find: 'await deps.inbox.put(inboxNameOf(await deps.keys.dedupeKey(), rawBody), rawBody);',
    replace: 'void deps.inbox.put(inboxNameOf(await deps.keys.dedupeKey(), rawBody), rawBody).catch(() => undefined);',
    tests: ['test/operations/receive-faults.test.ts'],
  },
  {
    name: 'a body that cannot be split is dropped',
    file: 'src/operations/record-delivery.ts',
    find: "return [{ eventKind: 'quarantine', ",
    replace: "return [].length === 0 ? [] : [{ eventKind: 'quarantine', ",
    tests: ['test/operations/receive-delivery.test.ts'],
  },
  { name: 'the sweeper takes what is still under way', file: 'src/operations/sweep-inbox.ts', find: 'if (ageMs > LEFT_BEHIND_MS && left', replace: 'if (left', tests: ['test/operations/inbox.test.ts'] },
  {
    name: 'a delivery put to the inbox by hand is recorded',
    file: 'src/operations/process-inbox.ts',
    find: 'if (inboxNameOf(await deps.keys.dedupeKey(), rawBody) !== name)',
    replace: "if (name === '')",
    tests: ['test/operations/inbox.test.ts'],
  },
  {
    name: 'a delivery leaves the inbox before it is recorded',
    file: 'src/operations/process-inbox.ts',
    find: '  const deliveryId = deliveryIdOf(rawBody);\n',
    replace: '  const deliveryId = deliveryIdOf(rawBody);\n  await deps.inbox.remove(name);\n',
    tests: ['test/operations/inbox.test.ts'],
  },
  {
    name: 'a quarantined record changed by hand is replayed',
    file: 'src/operations/replay-quarantine.ts',
    find: '|| !holds({ deps, keys }, record) ||',
    replace: '||',
    tests: ['test/operations/quarantine.test.ts'],
  },
  {
    name: 'a number says whose a message is before the user id does',
    file: 'src/core/customer-plan.ts',
    find: 'for (const numeric of [false, true])',
    replace: 'for (const numeric of [true, false])',
    tests: ['test/operations/resolve-customer.test.ts'],
  },
  {
    name: 'two known people are merged silently',
    file: 'src/core/customer-plan.ts',
    find: 'return isNumber(alias) && input.becomes.length === 0 && (isGivenUp(alias, state, input.at) || hasRival(state, input));',
    replace: 'return true;',
    tests: ['test/operations/resolve-customer.test.ts'],
  },
  {
    name: 'an old message takes a number from its present holder',
    file: 'src/core/customer-plan.ts',
    find: "if (state.state !== 'given' || input.at < state.assignedAt) return false;",
    replace: "if (state.state !== 'given') return false;",
    tests: ['test/operations/resolve-customer.test.ts'],
  },
  {
    name: 'an alias written by hand says whose a message is',
    file: 'src/core/customer-aliases.ts',
    find: "if (!macHolds(image) || rev === undefined) return { state: 'unreadable' };",
    replace: "if (rev === undefined) return { state: 'unreadable' };",
    tests: ['test/operations/resolve-customer.test.ts'],
  },
  { name: 'overrides that turn a text round are shown to staff', file: 'src/core/clean-text.ts', find: '\\u202a-\\u202e', replace: NOTHING, tests: ['test/core/clean-text.test.ts'] },
  { name: 'control characters are shown to staff', file: 'src/core/clean-text.ts', find: '\\u000b-\\u001f', replace: NOTHING, tests: ['test/core/clean-text.test.ts'] },
];

const VERIFYING: readonly Mutant[] = [
  {
    name: 'a history rewritten and signed again agrees with what is remembered',
    file: 'src/operations/verify-checkpoints.ts',
    find: "this.memory = remembered.root === toBase64(root) ? 'consistent' : 'forked';",
    replace: "this.memory = 'consistent';",
    tests: ['test/operations/verify-vault.test.ts'],
  },
  {
    name: 'a retired key may sign again',
    file: 'src/operations/verify-checkpoints.ts',
    find: 'if (key < this.newestKey) this.report',
    replace: 'if (key < -1) this.report',
    tests: ['test/operations/verify-vault.test.ts'],
  },
  {
    name: 'a checkpoint behind the signed ones goes unnoticed',
    file: 'src/operations/verify-checkpoints.ts',
    find: 'if (largest === undefined) return;',
    replace: 'if (largest === undefined || largest > 0) return;',
    tests: ['test/operations/verify-tampering.test.ts'],
  },
  {
    name: 'a log with findings becomes the measure of the next verification',
    file: 'src/cli/verify.ts',
    find: 'if (report.ok && report.origin !== null',
    replace: 'if (report.origin !== null',
    tests: ['test/cli/verify-and-prove.test.ts'],
  },
  {
    name: 'an unreadable memory is taken for an empty one',
    file: 'src/cli/checkpoint-memory.ts',
    find: "if (error.code === 'ENOENT') return undefined;",
    replace: "if (error.code !== '') return undefined;",
    tests: ['test/cli/verify-and-prove.test.ts'],
  },
];

const RUNTIME: readonly Mutant[] = [
  { name: 'a body in base64 is not decoded', file: 'src/runtime/http-event.ts', find: "event.isBase64Encoded === true ? 'base64' : 'utf8'", replace: "'utf8'", tests: ['test/runtime/http-event.test.ts'] },
  { name: 'a store that does not answer is told as success', file: 'src/runtime/problem.ts', find: "'store-unavailable': { status: 503", replace: "'store-unavailable': { status: 200", tests: ['test/runtime/problem.test.ts'] },
  { name: 'a forged delivery is told as success', file: 'src/runtime/problem.ts', find: "'signature-mismatch': { status: 401", replace: "'signature-mismatch': { status: 200", tests: ['test/lambdas/handlers.test.ts'] },
  { name: 'an empty verify token opens the handshake', file: 'src/runtime/handshake.ts', find: "secret.verifyToken !== '' && timingSafeEqual", replace: 'timingSafeEqual', tests: ['test/runtime/handshake.test.ts'] },
  {
    name: 'whatever is handed in is logged',
    file: 'src/runtime/log.ts',
    find: 'for (const name of FIELDS)',
    replace: 'for (const name of Object.keys(additional))',
    tests: ['test/runtime/log.test.ts'],
  },
  {
    name: 'two stream records without an id count as one',
    file: 'src/runtime/stream-event.ts',
    find: "`none:${createHash('sha256').update(raw).digest('hex')}`",
    replace: "'none'",
    tests: ['test/runtime/stream-event.test.ts'],
  },
  { name: 'a failed delivery of the queue is taken for done', file: 'src/runtime/stacks/queue.ts', find: 'if (failed > 0) throw', replace: 'if (failed < 0) throw', tests: ['test/lambdas/handlers.test.ts'] },
];

const DEPLOYMENT: readonly Mutant[] = [
  {
    name: 'every function may unwrap every secret',
    file: 'lib/constructs/wrapping-key.ts',
    find: ", conditions: { StringEquals: { 'kms:EncryptionContext:intact': names } }",
    replace: NOTHING,
    tests: ['test/lib/service-stack.test.ts'],
  },
  {
    name: 'the policy of the vault lets objects be overwritten',
    file: 'lib/constructs/vault-policy.ts',
    find: "deny('CreateOnly', ['s3:PutObject'], exceptMutable, { Null: { 's3:if-none-match': 'true' } }),",
    replace: NOTHING,
    tests: ['test/lib/constructs/vault-policy.test.ts'],
  },
  {
    name: 'the policy of the vault lets versions be deleted',
    file: 'lib/constructs/vault-policy.ts',
    find: "['s3:DeleteObjectVersion', 's3:BypassGovernanceRetention']",
    replace: "['s3:BypassGovernanceRetention']",
    tests: ['test/lib/constructs/vault-policy.test.ts'],
  },
  {
    name: 'the policy of the vault takes shorter locks',
    file: 'lib/constructs/vault-policy.ts',
    find: '{ NumericLessThan: { [remainingDays]: `${lock.retentionDays}` } }',
    replace: '{ NumericLessThan: { [remainingDays]: `${lock.retentionDays - 1}` } }',
    tests: ['test/lib/constructs/vault-policy.test.ts'],
  },
  { name: 'the vault has no Object Lock', file: 'lib/constructs/vault.ts', find: 'objectLockEnabled: true', replace: 'objectLockEnabled: false', tests: ['test/lib/data-stack.test.ts'] },
  { name: 'publishing may delete any tile', file: 'lib/constructs/vault.ts', find: "['s3:PutObjectTagging', 's3:DeleteObject'], [PARTIAL_NAMES]", replace: "['s3:PutObjectTagging', 's3:DeleteObject'], [TILES]", tests: ['test/lib/service-stack.test.ts'] },
  { name: 'streams are read from the newest change on', file: 'lib/constructs/table.ts', find: 'StartingPosition.TRIM_HORIZON', replace: 'StartingPosition.LATEST', tests: ['test/lib/service-stack.test.ts'] },
  { name: 'the stream gives up on a batch that fails', file: 'lib/constructs/table.ts', find: 'cfn.maximumRetryAttempts = -1;', replace: 'cfn.maximumRetryAttempts = 10;', tests: ['test/lib/service-stack.test.ts'] },
  { name: 'tables cannot be restored', file: 'lib/constructs/table.ts', find: 'pointInTimeRecoveryEnabled: true', replace: 'pointInTimeRecoveryEnabled: false', tests: ['test/lib/data-stack.test.ts'] },
  { name: 'tables can be deleted', file: 'lib/constructs/table.ts', find: 'deletionProtection: keep', replace: 'deletionProtection: false', tests: ['test/lib/data-stack.test.ts'] },
  { name: 'anybody may disable a key', file: 'lib/constructs/protected-key.ts', find: "['kms:DisableKey', 'kms:ScheduleKeyDeletion']", replace: "['kms:ScheduleKeyDeletion']", tests: ['test/lib/data-stack.test.ts'] },
  { name: 'a receiver may write the records of the system', file: 'lib/constructs/records-table.ts', find: "this.allow(fn, ['PutItem'], { partitions: RECORDED_PARTITIONS });", replace: "this.allow(fn, ['PutItem']);", tests: ['test/lib/service-stack.test.ts'] },
];

const COMMAND_LINE: readonly Mutant[] = [
  {
    name: 'a local command keeps the environment of the shell',
    file: 'src/cli/target.ts',
    find: "if (name !== 'TERM' && name !== 'INTACT_DEBUG') delete env[name];",
    replace: "if (name === '') delete env[name];",
    tests: ['test/cli/target.test.ts'],
  },
  {
    name: 'a stage on AWS may be this machine',
    file: 'src/cli/target.ts',
    find: '  refuseLoopback(io.env);\n',
    replace: NOTHING,
    tests: ['test/cli/target.test.ts'],
  },
  { name: 'findings exit 0', file: 'src/cli/verify.ts', find: 'return report.ok ? 0 : 1;', replace: 'return report.ok ? 0 : 0;', tests: ['test/cli/verify-and-prove.test.ts'] },
  { name: 'what could not be read exits like what is wrong', file: 'src/cli/failure.ts', find: '  unreachable: 2,', replace: '  unreachable: 1,', tests: ['test/cli/failure.test.ts'] },
  { name: 'what is read and wrong exits like what could not be read', file: 'src/cli/failure.ts', find: '  wrong: 1,', replace: '  wrong: 2,', tests: ['test/cli/failure.test.ts'] },
];

export const MUTANTS: readonly Mutant[] = [...LOG_FORMAT, ...CANONICAL_AND_KEYS, ...SEALING, ...PUBLISHING, ...ADAPTERS, ...RECEIVING, ...VERIFYING, ...RUNTIME, ...DEPLOYMENT, ...COMMAND_LINE];
