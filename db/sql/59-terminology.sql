-- The search for codes: words that no dictionary of the worker has exactly, against every wording in the database.

-- The function below names a setting of this extension, which a session only knows once it has used it.
do $$
begin
  perform extensions.show_limit();
end
$$;

drop function if exists public.search_concepts(text[], text[], int);
-- Both lists have the same length; words are folded as those that are stored (`searchWords`). What has all the words in
-- common is surest, then what has them among others, then what is written alike. Of one concept its best wording counts.
create function public.search_concepts(p_words text[], p_domains text[], p_most int default 5)
returns table (
  place int,
  code_system text,
  code text,
  display text,
  score01 real,
  method text,
  is_equivalent boolean
)
language sql stable parallel restricted
set search_path = ''
set pg_trgm.similarity_threshold = '0.5'
as $$
  with asked as materialized (
    select term.place::int, term.words, term.domain
    from unnest(p_words, p_domains) with ordinality as term (words, domain, place)
    where term.words <> ''
  ), same_words as materialized (
    select asked.place, synonym.code_system, synonym.code, synonym.is_equivalent,
      case when synonym.ordinal = 0 then 'exact' else 'synonym' end as method,
      case when not synonym.is_equivalent then 0.7 when synonym.ordinal = 0 then 1 else 0.95 end as score
    from asked
    join public.terminology_synonyms as synonym on synonym.words = asked.words and synonym.domain = asked.domain
  ), unsettled as materialized (
    select asked.*
    from asked
    where not exists (select from same_words where same_words.place = asked.place and same_words.is_equivalent)
  ), among_others as materialized (
    select unsettled.place, found.*
    from unsettled
    cross join lateral (
      select synonym.code_system, synonym.code, false as is_equivalent, 'full_text' as method,
        -- The share of common words (Dice): all of what was asked, of what is found.
        0.85 * 2 * word_count.asked / (word_count.asked + word_count.found) as score
      from public.terminology_synonyms as synonym
      cross join lateral (
        select
          cardinality(string_to_array(unsettled.words, ' '))::numeric as asked,
          cardinality(string_to_array(synonym.words, ' '))::numeric as found
      ) as word_count
      where to_tsvector('pg_catalog.simple'::regconfig, synonym.words)
          @@ plainto_tsquery('pg_catalog.simple'::regconfig, unsettled.words)
        and synonym.words <> unsettled.words
        and synonym.domain = unsettled.domain
      order by score desc, synonym.code_system collate "C", synonym.code collate "C", synonym.ordinal
      -- A concept may be found by several wordings.
      limit 4 * p_most
    ) as found
  ), written_alike as materialized (
    select unsettled.place, found.*
    from unsettled
    cross join lateral (
      select synonym.code_system, synonym.code, false as is_equivalent, 'trigram' as method,
        0.85 * extensions.similarity(synonym.words, unsettled.words)::numeric as score
      from public.terminology_synonyms as synonym
      where synonym.words operator(extensions.%) unsettled.words
        and synonym.words <> unsettled.words
        and synonym.domain = unsettled.domain
      order by score desc, synonym.code_system collate "C", synonym.code collate "C", synonym.ordinal
      limit 4 * p_most
    ) as found
    -- Of a short word hardly anything is left when a letter differs; a sentence is no name, and costs the most.
    where length(unsettled.words) between 5 and 60
      and not exists (select from among_others where among_others.place = unsettled.place)
  ), best as (
    select distinct on (found.place, found.code_system, found.code) found.*
    from (
      select place, code_system, code, is_equivalent, method, score from same_words
      union all
      select place, code_system, code, is_equivalent, method, score from among_others
      union all
      select place, code_system, code, is_equivalent, method, score from written_alike
    ) as found
    order by found.place, found.code_system, found.code, found.score desc, found.method
  ), ranked as (
    select best.*,
      row_number() over (
        partition by best.place
        order by best.score desc, best.code_system collate "C", best.code collate "C"
      ) as rank
    from best
  )
  select ranked.place, ranked.code_system, ranked.code, concept.display, ranked.score::real, ranked.method,
    ranked.is_equivalent
  from ranked
  join public.terminology_concepts as concept
    on concept.code_system = ranked.code_system and concept.code = ranked.code
  where ranked.rank <= p_most
  order by ranked.place, ranked.rank
$$;
comment on function public.search_concepts(text[], text[], int) is
  'Candidates for each of some folded wordings, within its domain: score and method (exact, synonym, full_text, trigram), best first.';

revoke all on function public.search_concepts(text[], text[], int) from public, anon, authenticated, service_role;
grant execute on function public.search_concepts(text[], text[], int) to authenticated, service_role;
