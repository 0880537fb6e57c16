"""The words and numbers the listings are drawn from: one table a constant, one row a line.

Changing, adding or moving a row changes fixtures/cars.jsonl. No code here: tests/listings.py reads
the tables.
"""

# make | model | body | thousands of dollars when new | liters | weight | years | fuels, each as
# name:first year:liters of its own | gears (Automatic, Manual, Cvt, Dual-clutch) | trims, the
# cheapest first. What is repeated is likelier.
MODELS = """
Ford|F-150|pickup|47|2.7 3.5 5.0|95|2000-2025|gas gas gas hybrid:2021:3.5|A|XL,XLT,Lariat,King Ranch
Ford|F-150 Lightning|pickup|62||8|2022-2025|electric||Pro,XLT,Lariat,Platinum
Ford|F-250|pickup|58|6.2 7.3|22|2000-2025|gas diesel::6.7|A|XL,XLT,Lariat
Ford|Mustang|coupe|38|2.3 3.7 5.0|30|1999-2025|gas|AAM|V6,EcoBoost,GT,Mach 1
Ford|Mustang Mach-E|suv|46||9|2021-2025|electric||Select,Premium,GT
Ford|Escape|suv|31|1.5 2.0 2.5|40|2001-2025|gas gas hybrid:2005:2.5|A|S,SE,SEL,Titanium
Ford|Explorer|suv|43|2.3 3.0 3.5|38|2000-2025|gas|A|Base,XLT,Limited,ST
Ford|Fusion|sedan|27|1.5 2.0 2.5|32|2006-2020|gas gas hybrid:2010:2.0|A|S,SE,Titanium
Ford|Focus|hatchback|21|1.0 2.0|26|2000-2018|gas|AAM|S,SE,SEL,ST
Ford|Transit Connect|van|32|2.0 2.5|8|2010-2023|gas|A|XL,XLT
Chevrolet|Silverado 1500|pickup|46|4.3 5.3 6.2|75|2000-2025|gas gas gas diesel:2019:3.0|A|WT,LT,LTZ
Chevrolet|Malibu|sedan|26|1.5 2.0 2.4|30|2000-2025|gas|A|LS,LT,Premier
Chevrolet|Equinox|suv|30|1.5 2.0 2.4|36|2005-2025|gas|A|LS,LT,Premier
Chevrolet|Tahoe|suv|62|5.3 6.2|22|2000-2025|gas|A|LS,LT,Z71,Premier
Chevrolet|Camaro|coupe|36|2.0 3.6 6.2|14|2010-2024|gas|AM|LT,SS,ZL1
Chevrolet|Corvette|convertible|72|5.7 6.2|9|1984-2025|gas|AAM|Base,Stingray,Grand Sport
Chevrolet|Bolt EV|hatchback|30||10|2017-2023|electric||LT,Premier
Chevrolet|Volt|hatchback|35|1.4 1.5|7|2011-2019|plug-in_hybrid|A|LT,Premier
Toyota|Camry|sedan|29|2.4 2.5 3.5|62|2000-2025|gas gas hybrid:2007:2.5|A|LE,SE,XLE,XSE
Toyota|Corolla|sedan|24|1.8 2.0|56|2000-2025|gas gas gas hybrid:2020:1.8|ACM|L,LE,SE
Toyota|RAV4|suv|32|2.4 2.5|55|2000-2025|gas gas hybrid:2016:2.5|A|LE,XLE,Limited,Adventure
Toyota|Prius|hatchback|29|1.5 1.8 2.0|26|2001-2025|hybrid|C|Two,Three,LE,XLE
Toyota|Tacoma|pickup|36|2.7 3.5 4.0|40|2000-2025|gas|AAM|SR,SR5,TRD Off-Road
Toyota|4Runner|suv|44|4.0 4.7|24|2000-2025|gas|A|SR5,TRD Off-Road,Limited
Toyota|Sienna|minivan|41|2.5 3.5|18|2000-2025|gas gas hybrid:2021:2.5|A|LE,XLE,Limited
Toyota|GR86|coupe|31|2.4|4|2022-2025|gas|AM|Base,Premium
Honda|Civic|sedan|25|1.5 1.8 2.0|58|2000-2025|gas|ACM|LX,EX,Sport,Si
Honda|Accord|sedan|29|1.5 2.4 3.5|54|2000-2025|gas gas gas hybrid:2014:2.0|ACM|LX,EX-L,Sport,Touring
Honda|CR-V|suv|32|1.5 2.4|50|2000-2025|gas gas gas hybrid:2020:2.0|AC|LX,EX,EX-L,Touring
Honda|Fit|hatchback|18|1.5|14|2007-2020|gas|CM|LX,EX,Sport
Honda|Odyssey|minivan|40|3.5|20|2000-2025|gas|A|LX,EX-L,Touring
Honda|HR-V|suv|26|1.8 2.0|16|2016-2025|gas|C|LX,EX,Sport
Honda|Prologue|suv|48||4|2024-2025|electric||EX,Touring,Elite
Nissan|Altima|sedan|27|2.0 2.5 3.5|40|2000-2025|gas|AC|S,SV,SL,SR
Nissan|Rogue|suv|30|1.5 2.5|38|2008-2025|gas|C|S,SV,SL,Platinum
Nissan|Sentra|sedan|21|1.8 2.0|26|2000-2025|gas|CCM|S,SV,SR
Nissan|Frontier|pickup|33|3.8 4.0|16|2000-2025|gas|AAM|S,SV,PRO-4X
Nissan|Leaf|hatchback|31||16|2011-2025|electric||S,SV,SL,Plus
Nissan|370Z|coupe|34|3.7|5|2009-2020|gas|AM|Base,Sport,Nismo
Hyundai|Elantra|sedan|22|1.8 2.0|32|2001-2025|gas gas gas hybrid:2021:1.6|ACM|SE,SEL,Limited
Hyundai|Sonata|sedan|28|2.0 2.4 2.5|26|2000-2025|gas gas gas hybrid:2011:2.0|A|SE,SEL,Limited
Hyundai|Tucson|suv|30|2.0 2.4 2.5|24|2005-2025|gas gas hybrid:2022:1.6|A|SE,SEL,Limited
Hyundai|Ioniq 5|suv|46||9|2022-2025|electric||SE,SEL,Limited
Kia|Soul|hatchback|22|1.6 2.0|22|2010-2025|gas|AC|LX,EX,GT-Line
Kia|Sorento|suv|35|2.4 2.5 3.3|24|2003-2025|gas gas hybrid:2021:1.6|A|LX,EX,SX
Kia|Optima|sedan|25|2.0 2.4|18|2001-2020|gas|A|LX,EX,SX
Kia|Niro EV|suv|40||6|2019-2025|electric||EX,EX Premium
Jeep|Wrangler|suv|42|2.0 3.6 4.0|40|1997-2025|gas|AAM|Sport,Sahara,Rubicon
Jeep|Grand Cherokee|suv|46|3.0 3.6 5.7|36|2000-2025|gas gas gas diesel:2014:3.0|A|Laredo,Limited
Jeep|Cherokee|suv|32|2.0 2.4 3.2|18|2014-2023|gas|A|Latitude,Limited,Trailhawk
Ram|1500|pickup|47|3.0 3.6 5.7|58|2011-2025|gas gas gas diesel:2014:3.0|A|Tradesman,Big Horn,Laramie
Ram|2500|pickup|60|5.7 6.4|18|2011-2025|gas diesel::6.7|A|Tradesman,Big Horn,Laramie
Dodge|Challenger|coupe|38|3.6 5.7 6.4|15|2009-2023|gas|AAM|SXT,R/T,Scat Pack
Dodge|Grand Caravan|minivan|28|3.3 3.6|22|2000-2020|gas|A|SE,SXT,GT
GMC|Sierra 1500|pickup|49|4.3 5.3 6.2|34|2000-2025|gas gas gas diesel:2020:3.0|A|SLE,SLT,AT4,Denali
GMC|Acadia|suv|42|2.5 3.6|16|2007-2025|gas|A|SLE,SLT,Denali
Subaru|Outback|wagon|33|2.4 2.5 3.6|36|2000-2025|gas|CCA|Base,Premium,Limited
Subaru|Forester|suv|31|2.0 2.5|34|2000-2025|gas|CCM|Base,Premium,Touring
Subaru|Impreza|hatchback|24|2.0 2.5|18|2000-2025|gas|CM|Base,Sport
Subaru|WRX|sedan|34|2.0 2.4 2.5|12|2002-2025|gas|MMC|Base,Premium,STI
Volkswagen|Jetta|sedan|24|1.4 1.8 2.0|26|2000-2025|gas gas diesel:2005:1.9|AAM|S,SE,SEL
Volkswagen|Golf GTI|hatchback|33|1.8 2.0|12|2000-2025|gas|DM|S,SE,Autobahn
Volkswagen|Tiguan|suv|31|2.0|18|2009-2025|gas|A|S,SE,SEL
Volkswagen|Beetle|coupe|19|1.5 1.6|5|1964-1979|gas|M|Standard,Super Beetle
Volkswagen|ID.4|suv|43||7|2021-2025|electric||Standard,Pro,Pro S
Mazda|Mazda3|hatchback|25|2.0 2.3 2.5|24|2004-2025|gas|AAM|Select,Preferred,Premium
Mazda|CX-5|suv|31|2.0 2.5|26|2013-2025|gas|A|Sport,Touring,Grand Touring
Mazda|MX-5 Miata|convertible|31|1.6 1.8 2.0|12|1990-2025|gas|AMM|Sport,Club,Grand Touring
BMW|3 Series|sedan|46|2.0 3.0|30|2000-2025|gas gas gas diesel:2009:2.0|AAM|320i,328i,330i,335i
BMW|X5|suv|66|3.0 4.4|20|2000-2025|gas gas diesel:2009:3.0|A|xDrive35i,xDrive40i,M50i
BMW|i3|hatchback|45||5|2014-2021|electric||Base,Deka
Mercedes-Benz|C-Class|sedan|47|1.8 2.0 3.0|24|2000-2025|gas|A|C 250,C 300,AMG C 43
Mercedes-Benz|E-Class|wagon|64|2.0 3.0 3.5|12|2000-2025|gas gas diesel::3.0|A|E 320,E 350,E 450
Mercedes-Benz|GLC|suv|50|2.0|14|2016-2025|gas|A|GLC 300,AMG GLC 43
Audi|A4|sedan|44|1.8 2.0|20|2000-2025|gas|DAM|Premium,Premium Plus,Prestige
Audi|Q5|suv|48|2.0 3.0 3.2|18|2009-2025|gas gas gas diesel:2014:3.0|A|Premium,Premium Plus
Audi|e-tron|suv|70||4|2019-2023|electric||Premium,Prestige
Lexus|RX 350|suv|50|3.5|22|2007-2025|gas|A|Base,F Sport,Luxury
Lexus|ES 300h|sedan|45|2.5|9|2013-2025|hybrid|C|Base,Luxury
Acura|MDX|suv|50|3.5 3.7|16|2001-2025|gas|A|Base,Technology,Advance
Volvo|XC60|suv|47|2.0 3.0|12|2010-2025|gas gas plug-in_hybrid:2018:2.0|A|Momentum,Inscription
Volvo|V60|wagon|46|2.0 2.5|6|2015-2025|gas|A|Momentum,Cross Country
Tesla|Model 3|sedan|44||26|2018-2025|electric||Standard Range,Long Range,Performance
Tesla|Model Y|suv|50||22|2020-2025|electric||Long Range,Performance
Tesla|Model S|hatchback|85||8|2013-2025|electric||75D,Long Range,Plaid
Porsche|911|coupe|115|3.0 3.6 3.8|6|1989-2025|gas|DMA|Carrera,Carrera S,4S
Porsche|Macan|suv|62|2.0 3.0|7|2015-2025|gas|D|Base,S,GTS
Mini|Cooper|hatchback|28|1.5 1.6 2.0|12|2002-2025|gas|AMD|Base,S,John Cooper Works
Fiat|500|hatchback|19|1.4|6|2012-2019|gas|AM|Pop,Lounge,Abarth
Citroën|C3|hatchback|18|1.2 1.4|5|2010-2023|gas gas diesel::1.6|AM|Feel,Shine
Citroën|2CV|sedan|17|0.6|4|1972-1990|gas|M|6 Spécial,Charleston
Škoda|Octavia|wagon|27|1.4 1.6 2.0|6|2012-2024|gas diesel::2.0|MD|Ambition,Style,RS
Škoda|Fabia|hatchback|18|1.0 1.2|3|2012-2024|gas|M|Ambition,Style
Renault|Mégane|hatchback|23|1.3 1.6|3|2011-2023|gas diesel::1.5|MD|Zen,Intens
Renault|Zoé|hatchback|32||2|2014-2023|electric||Life,Intens
SEAT|León|hatchback|24|1.4 1.5|3|2013-2024|gas|MD|Style,FR,Xcellence
"""

# feature | first and last year | chance in percent | a tag the car must have
FEATURES = """
Apple CarPlay|2016-2025|45|
Bluetooth|2008-2022|40|
backup camera|2010-2025|45|
heated seats|1998-2025|28|
leather seats|1985-2025|28|
sunroof|1985-2025|16|
panoramic roof|2013-2025|14|
navigation|2006-2023|20|
blind-spot monitor|2014-2025|25|
adaptive cruise control|2018-2025|30|
360° camera|2018-2025|10|
head-up display|2017-2025|8|
heated steering wheel|2014-2025|12|
premium audio|2004-2025|15|
remote start|2008-2025|16|
alloy wheels|1985-2018|26|
cruise control|1985-2014|30|
CD player|1992-2013|30|
cassette player|1964-2001|35|
all-wheel drive|1999-2025|45|suv
all-wheel drive|1999-2025|60|wagon
four-wheel drive|1985-2025|55|pickup
tow package|1985-2025|40|pickup
tow package|1985-2025|14|suv
bed liner|1985-2025|40|pickup
third-row seats|2000-2025|25|suv
third-row seats|2000-2025|90|minivan
power sliding doors|2004-2025|60|minivan
roof rack|1985-2025|35|wagon
limited-slip differential|1985-2025|30|coupe
heat pump|2019-2025|45|electric
DC fast charging|2013-2025|60|electric
winter tires|1985-2025|15|snow
"""

COLORS = "white:24 black:21 gray:17 silver:13 blue:11 red:9 green:3 brown:2 beige:2 orange:1 gold:1"
LOUD_COLORS = "red:22 black:18 blue:15 white:14 gray:11 yellow:8 silver:7 orange:4 green:3 purple:1"

PLACES = """
Los Angeles,CA Houston,TX Chicago,IL Phoenix,AZ Dallas,TX Seattle,WA Denver,CO Atlanta,GA Miami,FL
Minneapolis,MN Portland,OR San Diego,CA Austin,TX Columbus,OH Charlotte,NC Tampa,FL Detroit,MI
Nashville,TN Philadelphia,PA Kansas City,MO Sacramento,CA Las Vegas,NV Pittsburgh,PA Raleigh,NC
Milwaukee,WI St. Louis,MO Boise,ID Salt Lake City,UT Albuquerque,NM Omaha,NE Tucson,AZ Buffalo,NY
Madison,WI Spokane,WA Richmond,VA Burlington,VT Portland,ME Des Moines,IA Louisville,KY Fargo,ND
Coeur d'Alene,ID Winston-Salem,NC Cañon City,CO Española,NM La Cañada Flintridge,CA Anchorage,AK
Billings,MT Duluth,MN Eau Claire,WI Asheville,NC Bend,OR Flagstaff,AZ Grand Rapids,MI Honolulu,HI
"""
# A tag for the states where it snows, and where cars do not rust.
SNOW = "AK CO IA ID IL ME MI MN MT ND NE NY OH UT VT WI"
SUN = "AZ CA FL HI NM NV TX"

FIRST_NAMES = """
Maria James Aisha Wei Carlos Emily Noah Priya Olga Darnell Sofía Liam Fatima Hiroshi Grace Andrzej
Chloé Marcus Ingrid Tyler José Hannah Kwame Renée Dylan Mei Søren Latoya Björn Nora Rosa Ethan Zoë
Omar Bethany Luis Anneliese Trevor Yuki Dolores
"""
LAST_NAMES = """
Johnson O'Connor Nguyen García Müller Patel Kowalski Smith-Jones D'Angelo Okafor Peña Larsen Kim
Novák Brown Silva Fitzgerald Hernández Cohen Tanaka Washington Björk O'Neill Dubois Ivanova Rossi
Begay Ferguson Núñez Clark McAllister Haddad Ortiz Walker Lindqvist
"""
DEALER_NAMES = """
{last} Motors
{last} Auto Sales
{last}'s Garage
{last} & Sons
{last} Auto Group
{last} Brothers Autos
{last}-{other} Imports
{first}'s Cars & Trucks
Honest {first}'s
{city} Auto Mall
{city} Pre-Owned
{city} Car Exchange
{city} Truck Center
Second Gear {city}
"""

# A description takes at most one sentence of a topic, so that two of them cannot quarrel. A heading
# is `topic: the tags a car must have (! = must not have)`; [a/b] is a choice, it may be empty.
SENTENCES = """
look: !salvage
  [Clean/Tidy/Well-kept/Honest] {color} {body} with the {trim} trim.
  {color} {make} {model} {trim}, [built in/model year] {year}.
  This {year} {model} is in {condition} condition[, inside and out/, see the photos/].
  [If you've been looking/Looking] for a [straight/well-loved] {make} {model}, this is it.
look: !electric
  {engine}-liter {fuel} {model} in {color}[, nothing fancy/, exactly as pictured/].
look: electric
  Fully electric {model} in {color}, [quiet as a library/no gas station ever again].
look: hybrid
  {fuel} {model} in {color}, [sips fuel/easy on fuel in town].
look: diesel
  Diesel {model} with the {engine}-liter engine and [plenty of torque/a long-legged gait].
look: classic
  A genuine {year} {make}, [older restoration/mostly original], in {color}.
look: import
  {make} {model}, [imported/brought over] from Europe with its papers in order.
look: convertible
  Top-down {color} {model}; the [top seals well/roof works as it should].
look: like new
  Still [smells new/feels like the showroom]; {color} paint without a mark.
look: excellent
  {color} paint has a [deep shine/lovely gloss] and the interior [is spotless/shows no wear].
look: good
  [A couple of/Some] [door dings/stone chips], otherwise the {color} paint [is fine/holds up].
look: fair
  [Faded clear coat/Scratches on both bumpers] and a [torn/worn] driver's seat, priced for it.
look: salvage
  Salvage title after [a rear-end hit/hail/a flood claim]; [photos show it all/photos on request].
  Rebuilt {color} {model} with a salvage title, ["ran when parked"/sold as it stands].
miles: low
  Only {miles} miles, [mostly short trips/garage kept/all highway].
  {miles} miles from new, and [it shows/the records prove it].
miles:
  {miles} miles on the [clock/odometer], [mostly highway/city and highway/school runs mostly].
  The odometer [reads/stands at] {miles}[, still in daily use/, as of this week/].
miles: high
  {miles} miles and [still strong/it won't quit/it doesn't leak a drop].
miles: high, !electric
  Don't let {miles} miles scare you, the {engine}-liter [is stout/was looked after].
miles: high, electric
  {miles} miles and the battery [still holds most of its range/was tested last month].
drive: manual
  The [manual/stick shift] [is a joy/shifts cleanly] and the clutch [is recent/has life left].
  Three pedals, [as it should be/rare these days], and {engine} liters [to play with/up front].
drive: automatic, !fair, !salvage
  [Automatic/The automatic] shifts [smoothly/without a hiccup].
drive: cvt
  The CVT was [serviced/flushed] [last spring/at the dealer/on schedule].
drive: dual-clutch
  The dual-clutch gearbox [snaps through gears/is quick and smooth].
drive: electric
  [Instant torque/One-pedal driving] makes [traffic bearable/every errand fun].
  Charges overnight [in the garage/from a wall box]; [no oil changes/the brakes are hardly worn].
drive: hybrid
  [Expect/It returns] [better than 40/well over 35] mpg [without trying/in town].
drive: !fair, !salvage
  [Runs and drives/Drives] [great/straight/like it should], no warning lights.
  [Tight steering/Quiet cabin], [strong brakes/even tire wear], [nothing to fix/ready for a trip].
drive: fair
  Runs [well/fine] but [needs brakes soon/the AC wants a recharge/could use shocks].
drive: salvage
  [Runs and drives/Starts up], but [needs a radiator support/wants an alignment/it's a project].
drive: pickup, tow package
  Pulled [a small camper/a bass boat/a horse trailer] [twice a year/on weekends].
drive: pickup
  A truck that [worked for a living/never saw a job site]; the [frame is solid/bed is straight].
drive: coupe
  [Corners flat/Sounds wonderful], [never tracked/a weekend toy].
drive: wagon
  Swallows [two bikes/a week's camping gear/a cello] with the seats [down/folded].
drive: minivan
  [Hauled/Carried] [three kids/a soccer team/the whole band] and cleaned up [well/nicely].
drive: van
  The [shelving/partition] in the back can [stay/go]; it [ran a flower route/was a plumber's van].
drive: snow, all-wheel drive
  A [tank/mountain goat] in the snow, [never got stuck/starts at twenty below].
drive: snow, four-wheel drive
  Four-wheel drive [engages/locks in] [every time/as it should] in the snow.
past: private
  [One owner/Second owner/Bought from my uncle], [all receipts/a folder of receipts] included.
  My [daughter's/wife's/grandfather's/roommate's] car, [no smoking inside/dogs never allowed].
  [Selling because we're moving/New baby, need more doors/Company car came, so this one goes].
past: private, !new
  We call it "[Betsy/The Tank/Old Faithful/Gus/Blueberry]" and [it'll be missed/it earned it].
  New [battery/alternator/struts] and tires [this year/last fall].
past: private, !new, !electric
  New [water pump/radiator/spark plugs/exhaust] [this year/last fall], done by [a pro/my cousin].
past: dealer
  [Clean/Accident-free] history report, [one previous owner/two previous owners].
  [Local trade-in/Traded for a bigger one/Bought at auction], [inspected/detailed] [by us/here].
past: dealer, new
  [Off-lease/Former demo/Executive's] car, [factory warranty remains/tires nearly new].
past: dealer, certified
  Certified after a [150/125/172]-point inspection, [warranty/roadside help] included.
past: sun
  [Sun Belt car/Never saw salt in its life], [not a speck of rust/dry underneath].
past: snow, old
  Some surface rust [underneath/on the rockers], [nothing structural/oiled every fall].
past: classic
  [Club member's car/Driven to shows], "[matching numbers/barn find]" as they say.
past: import
  Parts come from [a specialist in Ohio/the club/overseas] [within a week/with no trouble].
past: salvage
  Sold "as is", [bring a trailer/cash and a handshake].
extra: feature
  [Comes with/Has/Equipped with] {feature}[, all working/, which you'll use daily/].
  You'll like the {feature}[, I promise/ on long trips/].
extra: two
  {feature} and {second} [both work/included/are what you'll love].
  Highlights: {feature}, {second}[, floor mats/, two keys/].
extra: roof rack
  The roof rack [fits a canoe/takes skis] [easily/and comes off in minutes].
extra: leather seats
  Leather [conditioned twice a year/without cracks]; [seats like an armchair/smells right].
extra: winter tires
  A second set of wheels with winter tires [is included/goes with it].
extra: cassette player
  The cassette player [eats no tapes/works], [yes/honestly], it was tested.
extra: heat pump
  The heat pump [keeps winter range honest/saves range in the cold].
end: dealer
  [Financing available/Trade-ins welcome/We'll ship it], ask for [{first}/{last}] in {city}.
  See it at {seller}[, open Sundays/, by appointment/ today].
  [Don't wait/Won't last]: the {model} [at this price/with this trim] [goes fast/sells in days].
end: private
  [Text first/Call after six/No lowballs], [I know what I've got/cash or cashier's check].
  [Located/Can be seen] in {city}, [bring your mechanic/test drives on weekends].
  Price is [firm/negotiable]; ask for {first}.
end: !salvage
  [Title in hand/Clean paperwork], ready [to go/for its next owner].
"""
