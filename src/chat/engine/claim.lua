-- A name for one user, or why not. ARGV: server, number of the claim, id, key, name
local claim, id, key, name = tonumber(ARGV[2]), ARGV[3], ARGV[4], ARGV[5]
if claim <= number(server .. '/c') then return 'stale' end
if closed() then return 'absent' end
local me = server .. '/' .. id
local user = redis.call('HGET', users_of .. server, id)
if not user then return 'absent' end
local whose = owner(key)
if whose and whose ~= me then return 'taken' end
local order, addr, old_key = parts(user)
if old_key ~= key then free(old_key, me) end
redis.call('HSET', names, key, me)
redis.call('HSET', users_of .. server, id, order .. '|' .. addr .. '|' .. key .. '|' .. name)
redis.call('HSET', state, server .. '/c', claim)
return 'ok'
