-- Uploads in pieces. Each piece is an object of its own, in the store before it is counted here; the last one is counted
-- in the transaction that registers the file: an upload is received whole exactly when its document exists.
--
--   (none) ──begin──> receiving ──last piece, with register_shell_file──> finished ──expires──> (none)
--                        │ cancelled, or expired ──> (none)
--
-- Whoever adds pieces holds the upload by a token, for a short while at a time: state that is shared lives here alone.

-- Definer: erased_objects is written by no API role.
create or replace function public.erase_pieces() returns trigger
language plpgsql volatile security definer set search_path = '' as $$
begin
  insert into public.erased_objects (storage_key)
  select piece.storage_key
  from unnest(old.pieces) as piece (storage_key)
  on conflict do nothing;
  return null;
end
$$;
comment on function public.erase_pieces() is 'The pieces of an upload that is gone are bytes that nobody needs.';
drop trigger if exists erase_pieces on public.resumable_uploads;
create trigger erase_pieces after delete on public.resumable_uploads
  for each row execute function public.erase_pieces();

create or replace function public.keep_upload_with_its_people() returns trigger
language plpgsql volatile set search_path = '' as $$
begin
  raise exception 'an upload stays with the account and the person that it was begun for' using errcode = 'check_violation';
end
$$;
comment on function public.keep_upload_with_its_people() is 'Nobody, not even a service, hands an upload to somebody else.';
drop trigger if exists keep_people on public.resumable_uploads;
create trigger keep_people before update of patient_id, account_id on public.resumable_uploads
  for each row
  when ((new.patient_id, new.account_id) is distinct from (old.patient_id, old.account_id))
  execute function public.keep_upload_with_its_people();

-- The shape of this has changed since it was first installed.
drop function if exists public.begin_resumable_upload(uuid, uuid, bigint, text, jsonb, boolean, int);

-- Definer: the table is closed to clients; access to the person is asked for first. One alone may be of any size: how
-- large a file may be is decided elsewhere.
create or replace function public.begin_resumable_upload(
  p_upload_id uuid,
  p_patient_id uuid,
  p_size_bytes bigint,
  p_filename text,
  p_fields jsonb,
  p_keep_both boolean,
  p_keep_seconds int,
  p_most_open int,
  p_most_open_bytes bigint
) returns timestamptz language plpgsql volatile security definer set search_path = '' as $$
declare
  v_expires_at timestamptz := now() + make_interval(secs => p_keep_seconds);
  v_open int;
  v_open_bytes bigint;
begin
  perform public.require_profile_access(p_patient_id, 'read_write', 'document');
  perform pg_advisory_xact_lock(hashtextextended('open uploads ' || auth.uid(), 0));
  select count(*), coalesce(sum(upload.size_bytes), 0)
  into v_open, v_open_bytes
  from public.resumable_uploads as upload
  where upload.account_id = auth.uid()
    and upload.response_body is null
    and upload.expires_at > now();
  if v_open >= p_most_open or (v_open > 0 and v_open_bytes + p_size_bytes > p_most_open_bytes) then
    raise exception 'Too many uploads are begun and not ended.' using errcode = 'EX429';
  end if;
  insert into public.resumable_uploads
    (id, account_id, patient_id, size_bytes, filename, fields, keep_both, expires_at)
  values
    (p_upload_id, auth.uid(), p_patient_id, p_size_bytes, p_filename, p_fields, p_keep_both, v_expires_at);
  return v_expires_at;
end
$$;
comment on function public.begin_resumable_upload(uuid, uuid, bigint, text, jsonb, boolean, int, int, bigint) is
  'Makes an upload that pieces may be added to by the calling account; returns until when, or raises EX429 when it has too many open ones.';

-- Definer: the table is closed to clients; only uploads of the calling account for people it may still write for.
create or replace function public.find_resumable_upload(p_upload_id uuid) returns jsonb
language sql stable security definer set search_path = '' as $$
  select jsonb_build_object(
    'size_bytes', upload.size_bytes,
    'received_bytes', upload.received_bytes,
    'filename', upload.filename,
    'fields', upload.fields,
    'keep_both', upload.keep_both,
    'pieces', upload.pieces,
    'response_body', upload.response_body,
    'expires_at', upload.expires_at
  )
  from public.resumable_uploads as upload
  where upload.id = p_upload_id
    and upload.account_id = auth.uid()
    and upload.expires_at > now()
    and public.has_resource_access(auth.uid(), upload.patient_id, 'read_write', 'document')
$$;
comment on function public.find_resumable_upload(uuid) is
  'How far an upload of the calling account is; null for one that is another''s, over, or not there.';

create or replace function public.new_storage_key() returns text
language sql volatile set search_path = '' as $$
  select right(made.id, 2) || '/' || made.id
  from (select public.uuid_v7()::text as id) as made
$$;
comment on function public.new_storage_key() is 'A key that no object has, as platform/storage/object-key.ts makes them.';

-- The shape of these has changed since they were first installed.
drop function if exists public.hold_resumable_upload(uuid, uuid);
drop function if exists public.add_resumable_piece(uuid, uuid, bigint, bigint, text);

-- Definer: the table is closed to clients, whose own rows alone are reached.
create or replace function public.hold_resumable_upload(p_upload_id uuid, p_lock_token uuid) returns text
language sql volatile security definer set search_path = '' as $$
  update public.resumable_uploads as upload
  set lock_token = p_lock_token,
      locked_until = clock_timestamp() + interval '30 seconds',
      -- Of its own: a request that was taken over may still be writing to the one before.
      piece_key = case
        when upload.lock_token = p_lock_token then coalesce(upload.piece_key, public.new_storage_key())
        else public.new_storage_key()
      end
  where upload.id = p_upload_id
    and upload.account_id = auth.uid()
    and upload.expires_at > now()
    and (upload.locked_until is null or upload.locked_until <= clock_timestamp() or upload.lock_token = p_lock_token)
  returning upload.piece_key
$$;
comment on function public.hold_resumable_upload(uuid, uuid) is
  'Takes an upload for one request, or keeps it; returns the storage key for its next piece, or null while another request has it.';

-- Definer: as above.
create or replace function public.release_resumable_upload(p_upload_id uuid, p_lock_token uuid) returns void
language sql volatile security definer set search_path = '' as $$
  update public.resumable_uploads as upload
  set lock_token = null,
      locked_until = null
  where upload.id = p_upload_id
    and upload.account_id = auth.uid()
    and upload.lock_token = p_lock_token
$$;
comment on function public.release_resumable_upload(uuid, uuid) is 'Gives an upload back for the next request.';

-- Definer: as above. The token fences off a request whose hold ran out and was taken over. The key is the one that was
-- given out here: whoever could name it would read, and have erased, what somebody else stored.
create or replace function public.add_resumable_piece(
  p_upload_id uuid,
  p_lock_token uuid,
  p_offset bigint,
  p_size_bytes bigint
) returns text language plpgsql volatile security definer set search_path = '' as $$
declare
  v_next_key text := public.new_storage_key();
begin
  update public.resumable_uploads as upload
  set received_bytes = upload.received_bytes + p_size_bytes,
      pieces = upload.pieces || upload.piece_key,
      piece_key = v_next_key,
      locked_until = clock_timestamp() + interval '30 seconds'
  where upload.id = p_upload_id
    and upload.account_id = auth.uid()
    and upload.lock_token = p_lock_token
    and upload.piece_key is not null
    and upload.received_bytes = p_offset
    and upload.expires_at > now();
  if not found then
    raise exception 'Another request has taken this upload over.' using errcode = 'EX409';
  end if;
  return v_next_key;
end
$$;
comment on function public.add_resumable_piece(uuid, uuid, bigint, bigint) is
  'Counts the piece that lies in the store under the key of this hold, if the upload is still as far as it was, else raises EX409; returns the key of the next.';

-- Definer: as above.
create or replace function public.finish_resumable_upload(
  p_upload_id uuid,
  p_lock_token uuid,
  p_response_body jsonb
) returns void language plpgsql volatile security definer set search_path = '' as $$
declare
  v_pieces text[];
begin
  select upload.pieces into v_pieces
  from public.resumable_uploads as upload
  where upload.id = p_upload_id
    and upload.account_id = auth.uid()
    and upload.lock_token = p_lock_token
    and upload.response_body is null
  for update;
  if not found then
    raise exception 'Another request has taken this upload over.' using errcode = 'EX409';
  end if;
  insert into public.erased_objects (storage_key)
  select piece.storage_key
  from unnest(v_pieces) as piece (storage_key)
  on conflict do nothing;
  update public.resumable_uploads as upload
  set received_bytes = upload.size_bytes,
      pieces = '{}',
      response_body = p_response_body
  where upload.id = p_upload_id;
end
$$;
comment on function public.finish_resumable_upload(uuid, uuid, jsonb) is
  'Belongs into the transaction that registers the file: the upload is whole, its pieces are not needed, its answer is kept.';

-- Definer: as above.
create or replace function public.cancel_resumable_upload(p_upload_id uuid) returns boolean
language plpgsql volatile security definer set search_path = '' as $$
begin
  delete from public.resumable_uploads as upload
  where upload.id = p_upload_id
    and upload.account_id = auth.uid()
    and (upload.locked_until is null or upload.locked_until <= clock_timestamp());
  return found;
end
$$;
comment on function public.cancel_resumable_upload(uuid) is
  'Forgets an upload of the calling account and lists its pieces for deletion; false while a request has it.';

revoke all on function
  public.erase_pieces(),
  public.keep_upload_with_its_people(),
  public.begin_resumable_upload(uuid, uuid, bigint, text, jsonb, boolean, int, int, bigint),
  public.find_resumable_upload(uuid),
  public.hold_resumable_upload(uuid, uuid),
  public.release_resumable_upload(uuid, uuid),
  public.add_resumable_piece(uuid, uuid, bigint, bigint),
  public.new_storage_key(),
  public.finish_resumable_upload(uuid, uuid, jsonb),
  public.cancel_resumable_upload(uuid)
from public, anon, authenticated, service_role;

grant execute on function public.begin_resumable_upload(uuid, uuid, bigint, text, jsonb, boolean, int, int, bigint) to authenticated;
grant execute on function public.find_resumable_upload(uuid) to authenticated;
grant execute on function public.hold_resumable_upload(uuid, uuid) to authenticated;
grant execute on function public.release_resumable_upload(uuid, uuid) to authenticated;
grant execute on function public.add_resumable_piece(uuid, uuid, bigint, bigint) to authenticated;
grant execute on function public.finish_resumable_upload(uuid, uuid, jsonb) to authenticated;
grant execute on function public.cancel_resumable_upload(uuid) to authenticated;
