# frozen_string_literal: true

module Privy
  class Import
    # Where rows come from.
    #
    # @private
    module Sources
      CHUNK = 1 << 16
      LINES_OF_JSON = %w[.jsonl .ndjson].freeze
      private_constant :CHUNK, :LINES_OF_JSON

      class << self
        # @param plain [Boolean] rows that are no file need no map
        def of(source, plain:)
          return of_file(source, plain) if source.is_a?(String) || source.respond_to?(:to_path)
          return Bytes.new(source) if source.respond_to?(:rewind) && source.respond_to?(:read)
          raise TypeError, "source must be a path, an IO that can be rewound, or rows" unless source.respond_to?(:each)

          rows = Rows.new(source)
          plain ? Plain.new(rows) : Cells.new(rows)
        end

        # The map as JSON text.
        def map_text(map)
          return if map.nil?
          return JSON.generate(map) if map.is_a?(Hash)

          read_map(File.path(map))
        end

        private

        def of_file(path, plain)
          path = File.path(path)
          return Bytes.new(path) unless LINES_OF_JSON.include?(File.extname(path).downcase)

          rows = JsonLines.new(path)
          plain ? Plain.new(rows) : Cells.new(rows)
        end

        def read_map(path)
          case File.extname(path).downcase
          when ".json" then File.read(path, encoding: "bom|utf-8")
          when ".yml", ".yaml" then JSON.generate(read_yaml(path))
          else Core.import_toml(File.binread(path))
          end
        end

        def read_yaml(path)
          require "yaml"
          YAML.safe_load_file(path)
        end
      end

      # The bytes of a delimited file.
      #
      # @private
      class Bytes
        def initialize(file)
          @file = file
        end

        def each_row(import)
          importer = import.importer
          chunks { |bytes| importer.survey(bytes) }
          importer.end_survey
          chunks { |bytes| importer.feed(bytes).each { |parts| yield Row.new(parts) } }
          importer.finish.each { |parts| yield Row.new(parts) }
        end

        # The first line of a file of rejects.
        def write_header(out, importer)
          out.puts(importer.rejects_header)
          true
        end

        def to_s
          @file.is_a?(String) ? @file : @file.class.to_s
        end

        private

        def chunks(&)
          return File.open(@file, "rb") { |file| read(file, &) } if @file.is_a?(String)

          @file.rewind
          read(@file, &)
        end

        def read(file)
          while (bytes = file.read(CHUNK))
            break if bytes.empty?

            yield bytes
          end
        end
      end

      # Lines that are JSON objects.
      #
      # @private
      class JsonLines
        def initialize(path)
          @path = path
        end

        # @yieldparam number [Integer]
        # @yieldparam row [Hash, JSON::ParserError]
        def each
          File.foreach(@path, encoding: "bom|utf-8").with_index(1) do |line, number|
            next if line.strip.empty?

            yield number, parse(line)
          end
        end

        def to_s
          @path
        end

        private

        def parse(line)
          row = JSON.parse(line, decimal_class: BigDecimal)
          row.is_a?(Hash) ? row : JSON::ParserError.new("is no JSON object")
        rescue JSON::ParserError => e
          e
        end
      end

      # Hashes, objects with fields, or models of a relation.
      #
      # @private
      class Rows
        def initialize(rows)
          @rows = rows
        end

        def each
          number = 0
          @rows.public_send(@rows.respond_to?(:find_each) ? :find_each : :each) { |row| yield number += 1, row }
        end

        def to_s
          @rows.class.to_s
        end
      end

      # Rows that have the fields of the API.
      #
      # @private
      class Plain
        def initialize(rows)
          @rows = rows
        end

        def each_row(import)
          import.importer
          @rows.each { |number, row| yield Row.new(parts(import.operation, number, row)) }
        end

        # Files of rejects are lines of JSON, which have no header.
        def write_header(_out, _importer)
          true
        end

        def to_s
          @rows.to_s
        end

        private

        def parts(operation, number, row)
          return broken(number, row) if row.is_a?(JSON::ParserError)

          refused = BulkRows.refused_rows(operation, [row], nil)
          faults = refused.map { |fault| [number, "", fault.field, fault.value.to_s, fault.message, fault.code] }
          fields = refused.empty? ? BulkRows.fields_of(row) : {}
          fields = fields.compact unless row.is_a?(Hash)
          [faults.empty? ? :ready : :refused, refused.first&.key.to_s, fields, "", [[number, source(row)]], [], faults]
        end

        def broken(number, error)
          fault = [number, "", "base", "", "the line is not a JSON object: #{error.message[0, 100]}", :not_json]
          [:refused, "", {}, "", [[number, {}]], [], [fault]]
        end

        def source(row)
          Serializable.plain(BulkRows.fields_of(row) || {}).except(*REASONS)
        end
      end

      # Rows whose values are cells for a map.
      #
      # @private
      class Cells < Plain
        def each_row(import)
          importer = import.importer
          importer.header(names)
          cells { |number, values| importer.survey_cells(number, values) }
          cells { |number, values| importer.add_cells(number, values).each { |parts| yield Row.new(parts) } }
          importer.finish.each { |parts| yield Row.new(parts) }
        end

        def write_header(out, importer)
          out.puts(importer.rejects_header)
          true
        end

        private

        # Of all rows: they may have different ones.
        def names
          found = {}
          @rows.each { |_, row| fields(row).each_key { |name| found[name.to_s] = true } }
          @names = found.keys
        end

        def cells
          @rows.each do |number, row|
            values = fields(row).transform_keys(&:to_s)
            yield number, @names.map { |name| text(values[name]) }
          end
        end

        def fields(row)
          BulkRows.fields_of(row) || raise(Error, "a row is no Hash and has no fields: #{row.class}")
        end

        def text(value)
          case value
          when nil then nil
          when String then value.encode(Encoding::UTF_8, invalid: :replace, undef: :replace)
          when Array then value.map { |element| text(element) }.join(",")
          when BigDecimal, Float then decimal(value)
          when Hash then JSON.generate(value)
          else Serializable.plain(value).to_s
          end
        end

        def decimal(value)
          value.finite? ? BigDecimal(value.to_s).to_s("F") : ""
        end
      end
    end
    private_constant :Sources
  end
end
